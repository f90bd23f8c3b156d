import type { Browser } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import { rewordPolicy } from '../../provisioning/policy/version.ts';
import { danish } from '../../services/console/words-da.ts';
import { smallRoster } from '../support/roster.ts';
import type { OpenConsole } from './browser.ts';
import { buildConsole, launchBrowser, openConsole, picture, whyNoBrowser } from './browser.ts';

const leftOut = whyNoBrowser();
if (leftOut !== null) console.warn(leftOut);
const policy = 'version: 1\nkeycloak: { startPasswords: { grades: [7] } }\n';

describe.skipIf(leftOut !== null)('the start password on the page of a person', () => {
  let built: Awaited<ReturnType<typeof buildConsole>>;
  let browser: Browser;
  let open: OpenConsole;

  beforeAll(async () => {
    built = await buildConsole();
    browser = await launchBrowser();
    open = await openConsole({ browser, folder: built.folder, policy });
    const found = { text: policy, policy: parsePolicy({ text: policy, file: 'policy.yaml' }) };
    await rewordPolicy({ ...open.line, found: { ...found, by: 'anna' } });
    await open.line.day({ roster: smallRoster({ pupils: 1 }), now: new Date() });
    await open.line.drain();
  });
  afterAll(async () => {
    const complaints = open?.complaints;
    await open?.[Symbol.asyncDispose]();
    await browser?.close();
    await built?.[Symbol.asyncDispose]();
    expect(complaints).toEqual([]);
  });

  async function personOf(username: string): Promise<string> {
    const { line } = open;
    const [row] = await line.database.as(line.tenant, (tx) =>
      tx.query<{ person: string }>('select person_id as person from username where username = $1', [
        username,
      ]),
    );
    return row?.person ?? '';
  }

  it('is set once more after a question', async () => {
    const { page, go, line } = open;
    const text = danish.person.startAgain;
    await go(`/people/${await personOf('elev1001')}`);
    await page.getByRole('button', { name: text.offer }).click();
    await page.getByRole('button', { name: text.no }).click();
    await page.getByRole('button', { name: text.offer }).click();
    await page.getByText(text.sure).waitFor();
    await picture(page, 'start-again');
    await page.getByRole('button', { name: text.yes }).click();
    await page.getByText(text.done).waitFor();
    const asked = await line.database.as(line.tenant, (tx) =>
      tx.query(`select target, lane, state from resource where start_again is not null`),
    );
    expect(asked).toEqual([{ target: 'keycloak', lane: 'now', state: 'due' }]);
  });

  it('is not offered for a teacher', async () => {
    const { page, go } = open;
    await go(`/people/${await personOf('lear1001')}`);
    await page.getByRole('heading', { name: danish.person.answers }).waitFor();
    expect(await page.getByText(danish.person.startAgain.offer).count()).toBe(0);
  });
});
