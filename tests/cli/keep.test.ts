import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { generate } from '../../services/generator/generate.ts';
import { observe, skolebus } from './command.ts';

let dir = '';

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'skolebus-keep-'));
  await generate({ out: join(dir, 'feed'), seed: 3, schools: 1, people: 30 });
});

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

it('keep and primary, as operators use them', async () => {
  const home = join(dir, 'home');
  const feed = `ws17:${join(dir, 'feed/day1/ws17')}`;
  await skolebus(['sync', '--feed', feed, '--home', home, '--yes', '--json']);
  const [account] = await observe({ home, target: 'keycloak', kind: 'account' });
  const username = String(account?.['username']);
  const run = async (...args: readonly string[]) => {
    const ended = await skolebus([...args, '--home', home, '--json']);
    return { ...ended, said: ended.code === 2 ? null : JSON.parse(ended.stdout) };
  };

  const kept = await run('keep', username, '--until', '2999-01-31', '--reason', 'Prøve');
  expect(kept).toMatchObject({ code: 0, said: { kept: { username, until: '2999-01-31' } } });
  expect((await run('keep', '--list')).said.items).toMatchObject([{ username, kind: 'keep' }]);
  expect((await run('keep', username, '--end')).code).toBe(0);
  expect((await run('keep', '--list')).said.items).toEqual([]);

  expect((await run('keep', username, '--reason', 'x')).code).toBe(2);
  expect(await run('keep', 'ukendt', '--until', '2999-01-31', '--reason', 'x')).toMatchObject({
    code: 1,
    said: { error: { code: 'person-unknown' } },
  });
  expect(await run('primary', username, '999999')).toMatchObject({
    code: 1,
    said: { error: { code: 'institution-unknown' } },
  });
  expect((await run('primary', username)).code).toBe(2);
}, 300_000);
