import { describe } from 'vitest';
import { openDocuments } from '../../services/sandbox/documents.ts';
import { startMoodleStandIn } from '../../services/sandbox/moodle/stand-in.ts';
import { moodleContract } from './contract.ts';
import { moodleDepthContract } from './contract-depth.ts';

async function startStandIn() {
  const documents = openDocuments({ file: null });
  const tokens = { school: 'school-token', infoonly: 'info-token', limited: 'limited-token' };
  const standIn = await startMoodleStandIn({ port: 0, documents, tokens });
  for (const shortname of ['unilogin', 'klassetrin']) {
    const deed = { do: 'add-profile-field', shortname, name: shortname };
    const body = JSON.stringify(deed);
    await fetch(`${standIn.url}/__sandbox/administration`, { method: 'POST', body });
  }
  return {
    url: standIn.url,
    token: tokens.school,
    async [Symbol.asyncDispose]() {
      await standIn[Symbol.asyncDispose]();
      documents[Symbol.dispose]();
    },
  };
}

describe('against the stand-in', () => {
  moodleContract({ start: startStandIn });
  moodleDepthContract({ start: startStandIn });
});

const url = process.env['SKOLEBUS_TEST_MOODLE_URL'] ?? '';
const token = process.env['SKOLEBUS_TEST_MOODLE_TOKEN'] ?? '';

describe.runIf(url !== '' && token !== '')('against a real Moodle', () => {
  const start = async () => ({ url, token, [Symbol.asyncDispose]: async () => {} });
  moodleContract({ start });
  moodleDepthContract({ start });
});
