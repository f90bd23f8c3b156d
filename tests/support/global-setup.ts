import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../provisioning/store/embedded.ts';
import { dropTemplate, type TestServer } from './database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly testServer: TestServer;
  }
}

let server: TestServer;

/**
 * Only names the run's database server: the first test file that asks for a database starts it,
 * so a run without one costs nothing.
 */
export function setup(project: TestProject): void {
  server = {
    dir: mkdtempSync(join(tmpdir(), 'skolebus-test-')),
    url: process.env['SKOLEBUS_TEST_DATABASE_URL'] ?? null,
    run: randomBytes(4).toString('hex'),
  };
  project.provide('testServer', server);
}

export async function teardown(): Promise<void> {
  if (server.url !== null) await dropTemplate(server);
  const leftOpen = existsSync(join(server.dir, 'data', 'postmaster.pid'));
  // Joining and leaving stops a server whose users are gone.
  if (leftOpen) await (await startEmbeddedPostgres({ dir: server.dir }))[Symbol.asyncDispose]();
  rmSync(server.dir, { recursive: true });
  if (leftOpen) throw new Error('A test file ended without disposing of its test database.');
}
