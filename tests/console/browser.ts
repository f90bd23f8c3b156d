/** The built console in a real browser, on a real API. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser, Page } from '@playwright/test';
import { chromium } from '@playwright/test';
import { pino } from 'pino';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import { createApi } from '../../services/api/app.ts';
import { listen } from '../../services/api/listen.ts';
import { openQueues } from '../../services/worker/queues.ts';
import type { Line } from '../support/line.ts';
import { openLine } from '../support/line.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const token = 'a-token-for-tests';
const executable = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/**
 * Why no browser can run here, or null when one can. In CI (CI=true) it throws instead: there,
 * leaving the tests out would hide a failure.
 */
export function whyNoBrowser(): string | null {
  if (existsSync(executable)) return null;
  const reason = `There is no browser at ${executable}: the tests in one are left out. CHROMIUM names another.`;
  if (process.env['CI'] === 'true') throw new Error(reason);
  return reason;
}

/** @returns the folder of a console built for this run */
export async function buildConsole(): Promise<{ readonly folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'skolebus-console-'));
  await promisify(execFile)(
    process.execPath,
    [
      join(root, 'node_modules/vite/bin/vite.js'),
      ...['build', '-c', 'services/console/vite.config.ts', '--logLevel', 'error'],
      ...['--outDir', folder, '--emptyOutDir'],
    ],
    { cwd: root },
  );
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: executable,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface OpenConsole extends AsyncDisposable {
  readonly line: Line;
  readonly page: Page;
  /** What pages complained of in the browser's console since the start, refused requests aside. */
  readonly complaints: readonly string[];
  /** Opens a page of the console, signed in. */
  go(path: string): Promise<void>;
}

/** A line of its own, its API with the console, and a page that is signed in. */
export async function openConsole(p: {
  readonly browser: Browser;
  readonly folder: string;
  readonly policy?: string;
  readonly width?: number;
  /** Left out: the process has none. */
  readonly queues?: boolean;
}): Promise<OpenConsole> {
  const policy = p.policy ?? 'version: 1\n';
  const line = await openLine({ policy });
  const queues =
    p.queues === true ? await openQueues({ databaseUrl: line.database.url, redisUrl: null }) : null;
  const app = createApi({
    database: line.database,
    tenant: line.tenant,
    queues,
    access: { kind: 'local-token', token },
    rules: {
      policy: parsePolicy({ text: policy, file: 'policy.yaml' }),
      targets: new Map((['keycloak', 'nextcloud', 'moodle'] as const).map((name) => [name, name])),
    },
    console: p.folder,
    onCommitted: async () => {},
    logger: pino({ level: 'silent' }),
  });
  const server = await listen({ app, host: '127.0.0.1', port: 0 });
  const viewport = { width: p.width ?? 1280, height: 900 };
  const page = await p.browser.newPage({ viewport, locale: 'da-DK' });
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    const refused = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !refused) complaints.push(message.text());
  });
  await page.goto(`${server.url}/#token=${token}`);
  await page.waitForSelector('.pages');
  return {
    line,
    page,
    complaints,
    go: async (path) => {
      await page.goto(`${server.url}${path}`);
      await page.waitForSelector('h1');
    },
    async [Symbol.asyncDispose]() {
      await page.close();
      await server[Symbol.asyncDispose]();
      await queues?.[Symbol.asyncDispose]();
      await line[Symbol.asyncDispose]();
    },
  };
}

/** Takes a picture from an element on, to be looked at by people, where SKOLEBUS_TEST_PICTURES names a folder. */
export async function picture(page: Page, name: string, from = 'body'): Promise<void> {
  const folder = process.env['SKOLEBUS_TEST_PICTURES'];
  if (folder === undefined) return;
  await page.waitForLoadState('networkidle');
  const wide = page.viewportSize() ?? { width: 1280, height: 900 };
  for (const width of [1280, 390]) {
    await page.setViewportSize({ ...wide, width });
    const length = Number(await page.evaluate('document.documentElement.scrollHeight'));
    const above = `document.querySelector('${from}').getBoundingClientRect().top + scrollY`;
    const y = Number(await page.evaluate(above));
    const clip = { x: 0, y, width, height: Math.min(length - y, 2000) };
    await page.screenshot({ path: join(folder, `${name}-${width}.png`), fullPage: true, clip });
  }
  await page.setViewportSize(wide);
}
