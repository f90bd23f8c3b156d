import { describe, expect, it } from 'vitest';
import { type Recording, readRecording, replayRecording } from '../support/replay.ts';
import { dressNextcloud } from './dress.ts';
import { startStandIn } from './server.ts';

/** The comparison itself must be able to fail, or the replayed recordings prove nothing. */
describe('a replay tells what differs', () => {
  const file = new URL(
    '../fixtures/recordings/nextcloud-34.0.1/20-session-cookies.json',
    import.meta.url,
  );

  async function replay(change: (text: string) => string) {
    await using server = await startStandIn({ version: '34.0.1', user: 'admin' });
    const recording = JSON.parse(change(JSON.stringify(readRecording(file.pathname)))) as Recording;
    return await replayRecording({ recording, url: server.url, dress: dressNextcloud(server) });
  }

  it.each([
    ['a code', '"statuscode":200', '"statuscode":201', '/body/ocs/meta/statuscode'],
    ['an HTTP status', '"status":412', '"status":400', '/status'],
    ['a cookie', 'cookie_test', 'cookie_other', '/headers/Set-Cookie'],
    ['a type of content', 'application/json; charset=utf-8', 'text/html', '/headers/Content-Type'],
    ['a field', '"mount_point"', '"mountpoint"', '/body/ocs/data/mount_point'],
  ])('%s', async (_title, from, to, where) => {
    const report = await replay((text) => text.replace(from, to));
    const unchanged = await replay((text) => text);

    expect(unchanged.differences).toEqual([]);
    expect(report.differences.map((difference) => difference.where)).toContain(where);
  });
});
