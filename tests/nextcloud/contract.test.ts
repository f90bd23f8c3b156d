import { nextcloudContract } from './contract.ts';
import { startStandIn } from './server.ts';

nextcloudContract({
  title: 'the contract with the stand-in of 34.0.1',
  start: () => startStandIn({ version: '34.0.1' }),
  subfolders: true,
});

nextcloudContract({
  title: 'the contract with the stand-in of 29.0.1',
  start: () => startStandIn({ version: '29.0.1' }),
  subfolders: false,
});

const url = process.env['SKOLEBUS_TEST_NEXTCLOUD_URL'];
if (url !== undefined) {
  nextcloudContract({
    title: 'the contract with a real server',
    subfolders: true,
    start: async () => ({
      url,
      user: process.env['SKOLEBUS_TEST_NEXTCLOUD_USER'] ?? 'admin',
      password: process.env['SKOLEBUS_TEST_NEXTCLOUD_PASSWORD'] ?? '',
      [Symbol.asyncDispose]: async () => {},
    }),
  });
}
