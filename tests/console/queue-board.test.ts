import type { Browser } from '@playwright/test';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { danish } from '../../services/console/words-da.ts';
import { smallRoster } from '../support/roster.ts';
import { buildConsole, launchBrowser, openConsole, picture, whyNoBrowser } from './browser.ts';

const leftOut = whyNoBrowser();
if (leftOut !== null) console.warn(leftOut);

let built: Awaited<ReturnType<typeof buildConsole>>;
let browser: Browser;

beforeAll(async () => {
  if (leftOut !== null) return;
  built = await buildConsole();
  browser = await launchBrowser();
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await built?.[Symbol.asyncDispose]();
});

it.skipIf(leftOut !== null)(
  'leads an operator from the console to the tickets, and loads nothing from elsewhere',
  async () => {
    const { folder } = built;
    await using open = await openConsole({ browser, folder, queues: true });
    await open.line.day({ roster: smallRoster({ pupils: 2 }), now: new Date() });
    const asked = new Set<string>();
    open.page.on('response', (response) => asked.add(new URL(response.url()).host));
    await open.go('/');

    await open.page.getByRole('button', { name: danish.seeQueue }).click();
    await open.page.waitForURL('**/queues/');
    for (const lane of ['now', 'sync', 'bulk']) {
      await open.page.getByText(`skolebus-${lane}`).first().waitFor({ state: 'visible' });
    }
    await picture(open.page, 'queue-board');
    await open.page.getByText('skolebus-sync').first().click();
    await open.page.waitForURL('**/queues/queue/skolebus-sync**');

    expect([...asked]).toEqual([new URL(open.page.url()).host]);
    // Its picture of loading and a font from elsewhere are what our policy keeps out; nothing else is lost.
    expect(open.complaints.filter((one) => !one.includes('style-src'))).toEqual([]);
  },
  60_000,
);
