import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runConformance, writeReport } from '../../services/cli/conformance.ts';
import type { Sandbox } from '../../services/sandbox/sandbox.ts';
import { openSandbox } from '../../services/sandbox/sandbox.ts';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await openSandbox({ dir: null });
});

afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
});

const order = { type: null, testServer: true, out: null, json: false };

describe('conformance', () => {
  it('finds out what a server is, runs its contract and reports every promise', async () => {
    const { nextcloud } = sandbox.addresses;
    const said: string[] = [];
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      said.push(String(text));
      return true;
    });
    const secrets: Record<string, string> = {
      SKOLEBUS_CONFORMANCE_USER: nextcloud.user,
      SKOLEBUS_CONFORMANCE_PASSWORD: nextcloud.password,
    };
    const code = await runConformance({
      ...order,
      target: nextcloud.url,
      secret: (name) => secrets[name] ?? null,
    }).finally(() => write.mockRestore());
    expect(said.join('')).toMatch(/nextcloud at .*\n\nAll \d+ promises are held/);
    expect(said.join('')).not.toContain(nextcloud.password);
    expect(code).toBe(0);
  });

  it('wants it said that the server has no real people', async () => {
    const { url } = sandbox.addresses.keycloak;
    await expect(
      runConformance({ ...order, testServer: false, target: url, secret: () => null }),
    ).rejects.toThrow('--test-server');
  });

  it('names the variable that is missing', async () => {
    const { url } = sandbox.addresses.moodle;
    await expect(runConformance({ ...order, target: url, secret: () => null })).rejects.toThrow(
      'SKOLEBUS_CONFORMANCE_TOKEN',
    );
  });

  it('says when a server is none of the three', async () => {
    const server = createServer((_request, response) => response.end('hello')).listen(
      0,
      '127.0.0.1',
    );
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await expect(
        runConformance({ ...order, target: `http://127.0.0.1:${port}`, secret: () => null }),
      ).rejects.toThrow('none of the three');
    } finally {
      server.close();
    }
  });

  it('puts what is not held first', () => {
    const report = writeReport({
      target: 'http://moodle.example',
      type: 'moodle',
      promises: [
        { about: ['account'], promise: 'is made', held: true, found: null },
        { about: ['account'], promise: 'is deleted', held: false, found: 'expected 1 to be 2' },
      ],
    });
    expect(report).toContain('1 of 2 promises are not held');
    expect(report.indexOf('account, is deleted')).toBeLessThan(report.indexOf('account, is made'));
    expect(report).toContain('found: expected 1 to be 2');
  });
});
