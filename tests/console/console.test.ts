import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../provisioning/store/database.ts';
import { openDatabase } from '../../provisioning/store/database.ts';
import { createApi } from '../../services/api/app.ts';
import { danish } from '../../services/console/words-da.ts';
import { english } from '../../services/console/words-en.ts';
import { buildConsole } from './browser.ts';

let built: Awaited<ReturnType<typeof buildConsole>>;
let folder: string;
let database: Database;

beforeAll(async () => {
  built = await buildConsole();
  folder = built.folder;
  // The pages themselves ask nothing of the database.
  database = openDatabase({ url: 'postgresql://127.0.0.1:1/none' });
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await built[Symbol.asyncDispose]();
});

function makeApp(keycloakUrl: string | null = null) {
  return createApi({
    database,
    tenant: 'kommune',
    queues: null,
    access:
      keycloakUrl === null
        ? { kind: 'local-token', token: 'a-token-for-tests' }
        : {
            kind: 'keycloak',
            url: keycloakUrl,
            realm: 'kommune',
            clientId: 'console',
            audience: 'api',
          },
    console: folder,
    onCommitted: async () => {},
    logger: pino({ level: 'silent' }),
  });
}

function policyOf(response: request.Response): ReadonlyMap<string, string> {
  const header = response.headers['content-security-policy'] ?? '';
  return new Map(
    header.split(';').map((part) => {
      const [name = '', ...values] = part.trim().split(' ');
      return [name, values.join(' ')];
    }),
  );
}

describe('the built console', () => {
  it('loads nothing from anywhere else', async () => {
    const files = (await readdir(folder, { recursive: true })).filter((name) =>
      /\.(html|js|css)$/.test(name),
    );
    expect(files.length).toBeGreaterThanOrEqual(3);
    for (const name of files) {
      const text = await readFile(join(folder, name), 'utf8');
      const loads = [
        ...text.matchAll(/(?:src|href|url|import|from)\s*[=(]?\s*["'(]?(https?:)?\/\/[a-z]/g),
      ];
      expect(loads.map(([match]) => match)).toEqual([]);
    }
  });

  it('has no script or style of the kind that its policy forbids', async () => {
    const page = await readFile(join(folder, 'index.html'), 'utf8');

    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=/);
  });

  it('brings its fonts along', async () => {
    const assets = await readdir(join(folder, 'assets'));

    expect(assets.filter((name) => name.endsWith('.woff2')).length).toBeGreaterThan(3);
  });
});

describe('the server of the console', () => {
  it.each(['/', '/plans', '/plans/7b9e0d3e-5a51-4a39-9d6c-3f9f6d7c2f10', '/holds?x=1'])(
    'gives the one page for %s',
    async (path) => {
      const response = await request(makeApp()).get(path).set('Accept', 'text/html,*/*;q=0.8');

      expect(response.status).toBe(200);
      expect(response.text).toContain('<div id="console">');
      expect(response.headers['cache-control']).toBe('no-cache');
    },
  );

  it('keeps browsers to its own files', async () => {
    const response = await request(makeApp()).get('/').set('Accept', 'text/html');
    const policy = policyOf(response);

    expect(policy.get('default-src')).toBe("'self'");
    expect(policy.get('script-src')).toBe("'self'");
    expect(policy.get('style-src')).toBe("'self'");
    expect(policy.get('connect-src')).toBe("'self'");
    expect(policy.get('frame-ancestors')).toBe("'none'");
    expect(policy.has('upgrade-insecure-requests')).toBe(false);
    expect(response.headers['x-content-type-options']).toBe('nosniff');
    expect(response.headers['x-powered-by']).toBeUndefined();
  });

  it('lets it ask Keycloak for tokens where people sign in there', async () => {
    const response = await request(makeApp('https://login.example.dk/auth')).get('/');

    expect(policyOf(response).get('connect-src')).toBe("'self' https://login.example.dk");
  });

  it('lets files with a hash in their name be kept for ever', async () => {
    const page = await request(makeApp()).get('/').set('Accept', 'text/html');
    const [, script = ''] = /src="(\/assets\/[^"]+\.js)"/.exec(page.text) ?? [];

    const response = await request(makeApp()).get(script);

    expect(response.status).toBe(200);
    expect(response.headers['content-type']).toMatch(/javascript/);
    expect(response.headers['cache-control']).toContain('immutable');
  });

  it.each([
    '/assets/none.js',
    '/../package.json',
    '/%2e%2e/package.json',
    '/api/v1/none',
    '/k_logout',
  ])('has no page for %s', async (path) => {
    const response = await request(makeApp()).get(path).set('Accept', 'text/html');

    expect(response.status).toBe(404);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  });
});

describe('the words', () => {
  const entries = (words: object, path = ''): readonly (readonly [string, unknown])[] =>
    Object.entries(words).flatMap(([name, value]) =>
      typeof value === 'object' && value !== null
        ? entries(value, `${path}${name}.`)
        : [[`${path}${name}`, value] as const],
    );

  it('are all there in both languages', () => {
    const names = (words: object) => entries(words).map(([name]) => name);

    expect(names(english)).toEqual(names(danish));
  });

  it('are translated', () => {
    const text = (words: object) =>
      new Map(
        entries(words).map(([name, value]) => [
          name,
          typeof value === 'function' ? String(value('1', '2')) : String(value),
        ]),
      );
    const danishText = text(danish);

    const danishLetters = [...text(english)].filter(([, value]) => /[æøåÆØÅ]/.test(value));
    expect(danishLetters).toEqual([]);
    const same = [...text(english)].filter(
      ([name, value]) => value.length > 14 && danishText.get(name) === value,
    );
    expect(same).toEqual([]);
  });
});
