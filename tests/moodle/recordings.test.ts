import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { openDocuments } from '../../services/sandbox/documents.ts';
import type { MoodleDeed } from '../../services/sandbox/moodle/administration.ts';
import { startMoodleStandIn } from '../../services/sandbox/moodle/stand-in.ts';
import {
  describeDifferences,
  type RecordedRequest,
  readRecording,
  replayRecording,
} from '../support/replay.ts';

const folder = fileURLToPath(new URL('../fixtures/recordings/moodle-4.5.6/', import.meta.url));
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .sort();
const tokens = { school: 'school-token', infoonly: 'infoonly-token', limited: 'limited-token' };

const secrets: Readonly<Record<string, string>> = {
  '<password>': 'Skolebus-2026!',
  '<password:new>': 'Skolebus-2027!',
  '<password:too-short>': 'kort',
  '<password:no-digit-or-capital>': 'langtnokmenforlet',
  '<token:school>': tokens.school,
  '<token:infoonly>': tokens.infoonly,
  '<token:limited>': tokens.limited,
  '<token:invalid>': 'nobody-has-this-token',
};

/** What the recordings say in words that an administrator or teacher did. */
const deeds: Readonly<Record<string, readonly MoodleDeed[]>> = {
  'before the first step an administrator makes the text profile field "unilogin" (visible to everyone) and the text field "hemmelig" (not visible)':
    [
      { do: 'add-profile-field', shortname: 'unilogin', name: 'UNI-login' },
      { do: 'add-profile-field', shortname: 'hemmelig', name: 'Skjult' },
    ],
  'an administrator changes enablewebservices and webserviceprotocols (and back) before the steps that say so':
    [],
  'an administrator switches maintenance on and off before the steps that say so': [],
  'a teacher adds a page "Velkommen til 7.A" in section 1 of the template': [
    { do: 'add-page', course: 'skole-101-skabelon', section: 1, name: 'Velkommen til 7.A' },
  ],
  'enablewebservices=0': [{ do: 'set', webServices: false }],
  'enablewebservices=1, webserviceprotocols empty': [
    { do: 'set', webServices: true, restProtocol: false },
  ],
  'both on again': [{ do: 'set', webServices: true, restProtocol: true }],
  'admin/cli/maintenance.php --enable': [{ do: 'set', cliMaintenance: true }],
  'CLI maintenance off, maintenance_enabled=1': [
    { do: 'set', cliMaintenance: false, webMaintenance: true },
  ],
  'all maintenance off': [{ do: 'set', cliMaintenance: false, webMaintenance: false }],
};

async function administer(url: string, what: string): Promise<void> {
  const known = deeds[what];
  if (known === undefined) throw new Error(`nobody has said how to do this: ${what}`);
  for (const deed of known) {
    const response = await fetch(`${url}/__sandbox/administration`, {
      method: 'POST',
      body: JSON.stringify(deed),
    });
    if (response.status !== 204) throw new Error(await response.text());
  }
}

/** Moodle's token is a form field, and the Authorization label no header of its own. */
function dress(request: RecordedRequest): RecordedRequest {
  const { Authorization: _label, ...headers } = request.headers;
  const query = exchangeSecrets(request.query) as RecordedRequest['query'];
  return { ...request, headers, query, body: exchangeSecrets(request.body) };
}

function exchangeSecrets(fields: unknown): unknown {
  if (typeof fields !== 'object' || fields === null) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, secrets[String(value)] ?? value]),
  );
}

describe('the Moodle stand-in answers as the recorded Moodle 4.5.6 did', () => {
  let exchanges = 0;
  afterAll(() => {
    expect(exchanges).toBe(445);
  });

  test('all scenarios are here', () => {
    expect(files).toHaveLength(30);
  });

  test.each(files)('%s', async (file) => {
    const recording = readRecording(`${folder}${file}`);
    using documents = openDocuments({ file: null });
    await using standIn = await startMoodleStandIn({ port: 0, documents, tokens });
    const { url } = standIn;
    for (const what of recording.setup ?? []) await administer(url, what);
    const before = (what: string) => administer(url, what);
    const report = await replayRecording({ recording, url, dress, before });
    exchanges += report.exchanges;
    expect(report.differences.length, describeDifferences(report)).toBe(0);
  });
});
