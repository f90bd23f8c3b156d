import { afterAll, beforeAll, describe } from 'vitest';
import { openDocuments } from '../../services/sandbox/documents.ts';
import { startKeycloakStandIn } from '../../services/sandbox/keycloak/stand-in.ts';
import type { StandIn } from '../../services/sandbox/stand-in.ts';
import { keycloakContract } from './contract.ts';

describe('the Keycloak stand-in', () => {
  const documents = openDocuments({ file: null });
  let standIn: StandIn;
  beforeAll(async () => {
    standIn = await startKeycloakStandIn({
      port: 0,
      documents,
      user: 'admin',
      password: 'fixture',
    });
  });
  afterAll(async () => {
    await standIn[Symbol.asyncDispose]();
    documents[Symbol.dispose]();
  });

  keycloakContract({
    server: () => ({ url: standIn.url, user: 'admin', password: 'fixture' }),
  });
});
