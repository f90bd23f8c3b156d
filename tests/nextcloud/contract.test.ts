import { nextcloudContract } from './contract.ts';
import { makeProvider, type ServerUnderTest, startStandIn } from './server.ts';

nextcloudContract({
  title: 'the contract with the stand-in of 34.0.1',
  mode: 'local',
  start: () => startStandIn({ version: '34.0.1', limitEdits: true }),
  subfolders: true,
});

nextcloudContract({
  title: 'the contract with the stand-in of 34.0.1 and user_oidc',
  mode: 'oidc',
  start: async () => {
    const server = await startStandIn({ version: '34.0.1', limitEdits: true });
    await makeProvider(server);
    return server;
  },
  subfolders: true,
});

nextcloudContract({
  title: 'the contract with the stand-in of 29.0.1',
  mode: 'local',
  start: () => startStandIn({ version: '29.0.1', limitEdits: true }),
  subfolders: false,
});

const url = process.env['SKOLEBUS_TEST_NEXTCLOUD_URL'];
if (url !== undefined) {
  const real: ServerUnderTest = {
    url,
    user: process.env['SKOLEBUS_TEST_NEXTCLOUD_USER'] ?? 'admin',
    password: process.env['SKOLEBUS_TEST_NEXTCLOUD_PASSWORD'] ?? '',
    [Symbol.asyncDispose]: async () => {},
  };
  const mode = process.env['SKOLEBUS_TEST_NEXTCLOUD_MODE'] === 'oidc' ? 'oidc' : 'local';
  nextcloudContract({
    title: `the contract with a real server in mode ${mode}`,
    mode,
    subfolders: true,
    start: async () => real,
  });
}
