import { describe } from 'vitest';
import { openDocuments } from '../../services/sandbox/documents.ts';
import { startMoodleStandIn } from '../../services/sandbox/moodle/stand-in.ts';
import { moodleContract } from './contract.ts';

describe('against the stand-in', () => {
  moodleContract({
    async start() {
      const documents = openDocuments({ file: null });
      const tokens = {
        school: 'school-token',
        infoonly: 'infoonly-token',
        limited: 'limited-token',
      };
      const standIn = await startMoodleStandIn({ port: 0, documents, tokens });
      return {
        url: standIn.url,
        token: tokens.school,
        async [Symbol.asyncDispose]() {
          await standIn[Symbol.asyncDispose]();
          documents[Symbol.dispose]();
        },
      };
    },
  });
});

const url = process.env['SKOLEBUS_TEST_MOODLE_URL'] ?? '';
const token = process.env['SKOLEBUS_TEST_MOODLE_TOKEN'] ?? '';

describe.runIf(url !== '' && token !== '')('against a real Moodle', () => {
  moodleContract({
    start: async () => ({ url, token, [Symbol.asyncDispose]: async () => {} }),
  });
});
