import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { openDocuments } from '../../services/sandbox/documents.ts';
import type { NextcloudVersion } from '../../services/sandbox/nextcloud/behaviour.ts';
import { startNextcloudStandIn } from '../../services/sandbox/nextcloud/stand-in.ts';
import { describeDifferences, readRecording, replayRecording } from '../support/replay.ts';
import { dressNextcloud } from './dress.ts';

const expected: Readonly<Record<NextcloudVersion, { scenarios: number; exchanges: number }>> = {
  '34.0.1': { scenarios: 33, exchanges: 535 },
  '29.0.1': { scenarios: 21, exchanges: 328 },
};

describe.each(['34.0.1', '29.0.1'] as const)('Nextcloud %s answers as recorded', (version) => {
  const folder = new URL(`../fixtures/recordings/nextcloud-${version}/`, import.meta.url);
  const files = readdirSync(folder).sort();
  let exchanges = 0;

  it.each(files)('%s', async (file) => {
    const recording = readRecording(new URL(file, folder).pathname);
    using documents = openDocuments({ file: null });
    const credentials = {
      user: 'admin',
      password: 'Kurre-Kaninhop-88',
      appPassword: 'app-Kurre-Kaninhop-88',
    };
    await using server = await startNextcloudStandIn({
      port: 0,
      documents,
      version,
      ...credentials,
    });

    const report = await replayRecording({
      recording,
      url: server.url,
      dress: dressNextcloud(credentials),
      before: async (what) => {
        server.control.setMaintenance(what === 'maintenance mode on');
      },
    });

    exchanges += report.exchanges;
    expect(describeDifferences(report)).toBe('');
  });

  afterAll(() => {
    expect({ scenarios: files.length, exchanges }).toEqual(expected[version]);
  });
});
