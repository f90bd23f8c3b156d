/**
 * Takes pictures of every page of a running console, to be looked at by people:
 *
 *   node tests/console/screenshot.ts <address with its token> <folder>
 *
 * CHROMIUM names the browser; without it /usr/bin/chromium is used. Ends with 1 when a page wrote an
 * error to its console, or scrolls sideways.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { launchBrowser } from './browser.ts';

const sizes = { wide: { width: 1360, height: 900 }, narrow: { width: 390, height: 844 } } as const;

/** A list of hundreds of rows looks the same further down. */
const longest = 1800;

async function main(address: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const browser = await launchBrowser();
  try {
    for (const [size, viewport] of Object.entries(sizes)) {
      const page = await browser.newPage({ viewport, locale: 'da-DK' });
      page.on('console', (message) => {
        if (message.type() === 'error') complain(`${page.url()}: ${message.text()}`);
      });
      page.on('pageerror', (error) => complain(`${page.url()}: ${error.message}`));
      await page.goto(address);
      await page.waitForSelector('.hero');
      for (const [name, path] of await listPages(page)) {
        await page.goto(new URL(path, address).href);
        await page.waitForSelector('h1');
        await page.waitForTimeout(900);
        const length = await page.evaluate('document.documentElement.scrollHeight');
        const height = Math.min(Number(length), longest);
        await page.screenshot({
          path: join(folder, `${name}-${size}.png`),
          fullPage: true,
          clip: { x: 0, y: 0, width: viewport.width, height },
        });
        const sideways = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        if (Number(sideways) > 0) complain(`${path} (${size}) scrolls sideways by ${sideways} px`);
      }
      await page.close();
    }
  } finally {
    await browser.close();
  }
}

async function listPages(page: Page): Promise<readonly (readonly [string, string])[]> {
  const answer = await page.evaluate(`fetch('/api/v1/plans').then((r) => r.json())`);
  const plans = (answer as { items: readonly { id: string }[] }).items;
  return [
    ['overview', '/'],
    ['bell', '/bell'],
    ['plans', '/plans'],
    ...plans.slice(0, 2).map(({ id }, index) => [`plan-${index + 1}`, `/plans/${id}`] as const),
    ['holds', '/holds'],
    ['people', '/people?search=sen'],
    ...(await findSomebody(page)),
    ['schools', '/schools'],
    ['policy', '/policy'],
    ['feed', '/feed'],
  ];
}

async function findSomebody(page: Page): Promise<readonly (readonly [string, string])[]> {
  const answer = await page.evaluate(`fetch('/api/v1/people?search=sen').then((r) => r.json())`);
  const [first] = (answer as { items: readonly { id: string }[] }).items;
  return first === undefined ? [] : [['person', `/people/${first.id}`]];
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}

const [address, folder] = process.argv.slice(2);
if (address === undefined || folder === undefined) {
  process.stderr.write('Usage: node tests/console/screenshot.ts <address> <folder>\n');
  process.exitCode = 2;
} else await main(address, folder);
