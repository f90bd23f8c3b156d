import { afterAll, describe } from 'vitest';
import { startKeycloak } from '../support/keycloak-server.ts';
import { keycloakContract } from './contract.ts';

const server = await startKeycloak();

describe.skipIf(server === null)(`Keycloak ${server?.version ?? '(none on this machine)'}`, () => {
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  keycloakContract({
    server: () => {
      if (server === null) throw new Error('there is no server');
      return server;
    },
  });
});
