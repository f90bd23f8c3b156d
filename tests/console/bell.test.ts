import type { Browser } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { danish } from '../../services/console/words-da.ts';
import { english } from '../../services/console/words-en.ts';
import { smallRoster } from '../support/roster.ts';
import type { OpenConsole } from './browser.ts';
import { buildConsole, launchBrowser, openConsole, picture, whyNoBrowser } from './browser.ts';

const leftOut = whyNoBrowser();
if (leftOut !== null) console.warn(leftOut);

describe.skipIf(leftOut !== null)('the page about the bell', () => {
  let built: Awaited<ReturnType<typeof buildConsole>>;
  let browser: Browser;
  let open: OpenConsole;

  beforeAll(async () => {
    built = await buildConsole();
    browser = await launchBrowser();
    open = await openConsole({ browser, folder: built.folder });
    const { line } = open;
    line.targets.moodle.misbehave(({ kind, desired }) =>
      kind === 'account' && JSON.stringify(desired).includes('elev1001')
        ? { state: 'rejected', code: 'email-taken', detail: '' }
        : null,
    );
    await line.day({ roster: smallRoster({ pupils: 3 }), now: new Date() });
    await line.drain();
  });
  afterAll(async () => {
    const complaints = open?.complaints;
    await open?.[Symbol.asyncDispose]();
    await browser?.close();
    await built?.[Symbol.asyncDispose]();
    expect(complaints).toEqual([]);
  });

  it('shows the share, the schools and what is missing, and names nobody', async () => {
    const { page, go } = open;
    await go('/bell');
    await page.getByText(danish.bell.sentence('9', '10')).waitFor();
    await page.getByText(danish.bell.noBell).waitFor();
    const school = page.getByRole('row', { name: /Skole 101001/ });
    expect(await school.textContent()).toContain(danish.bell.causes.failed);
    expect(await school.textContent()).toContain(danish.bell.unknown);
    const other = page.getByRole('row', { name: /Skole 101002/ });
    expect(await other.textContent()).toContain(danish.of('5', '5'));
    await page.locator('code').getByText('email-taken').waitFor();
    expect(await page.locator('main').textContent()).not.toMatch(/Fornavn|Prøvesen|elev1001/);
    await picture(page, 'bell');
    await page.getByRole('button', { name: danish.language }).click();
    await page.getByText(english.bell.sentence('9', '10')).waitFor();
    await page.getByRole('button', { name: english.language }).click();
  });

  it('lets an operator stop a target and let it go on', async () => {
    const { page, line, go } = open;
    await line.database.as(line.tenant, (tx) =>
      tx.execute(`update resource set state = 'due' where target = 'nextcloud'`),
    );
    await go('/bell');
    const where = danish.targets.nextcloud;
    await page.getByLabel(danish.causes.what, { exact: true }).selectOption('nextcloud');
    await page.getByLabel(danish.bell.reason).fill('opgradering');
    await page.getByRole('button', { name: danish.bell.pauseAsk(where) }).click();
    await page.getByText(danish.bell.stopped(where, 'local-token', 'opgradering')).waitFor();
    await page.getByText(danish.bell.causes.brake, { exact: true }).first().waitFor();
    await picture(page, 'bell-stopped');
    await page.getByRole('button', { name: danish.bell.resumeAsk(where) }).click();
    await page.getByText(danish.bell.stopped(where, 'local-token', 'opgradering')).waitFor({
      state: 'detached',
    });
  });

  it('does not scroll sideways on a telephone', async () => {
    const { page, go } = open;
    await page.setViewportSize({ width: 360, height: 800 });
    await go('/bell');
    await page.getByText(danish.bell.noBell).waitFor();
    const over = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(over).toBe(0);
  });
});
