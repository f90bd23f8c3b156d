import type { Browser } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approvePlan } from '../../provisioning/plan/approve.ts';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import { rewordPolicy } from '../../provisioning/policy/version.ts';
import { previewPolicy } from '../../provisioning/preview-policy.ts';
import { danish } from '../../services/console/words-da.ts';
import { english } from '../../services/console/words-en.ts';
import type { MemoryTarget } from '../support/memory-target.ts';
import { smallRoster } from '../support/roster.ts';
import type { OpenConsole } from './browser.ts';
import { buildConsole, launchBrowser, openConsole, picture, whyNoBrowser } from './browser.ts';

const leftOut = whyNoBrowser();
if (leftOut !== null) console.warn(leftOut);

let built: Awaited<ReturnType<typeof buildConsole>>;
let browser: Browser;
let open: OpenConsole;

const start = async (policy?: string) => {
  open = await openConsole({
    ...{ browser, folder: built.folder },
    ...(policy === undefined ? {} : { policy }),
  });
  return open;
};
const finish = async () => {
  const { complaints } = open;
  await open[Symbol.asyncDispose]();
  expect(complaints).toEqual([]);
};

/** Usernames that the targets have accounts of, by target. */
function accounts(target: MemoryTarget): readonly string[] {
  const bodies = [...target.held].filter(([ref]) => ref.startsWith('account/'));
  return bodies
    .map(([, body]) => {
      const { username, userId } = body as { username?: string; userId?: string };
      return username ?? userId ?? '';
    })
    .sort();
}

const commit = async () => {
  await open.page.getByRole('button', { name: danish.plan.commit, exact: true }).click();
  await open.page.getByRole('button', { name: danish.plan.sureGo }).click();
};
const committed = () =>
  open.page.getByRole('heading', { name: danish.done.heading }).waitFor({ state: 'visible' });
const outcome = () => open.page.locator('.outcome[aria-busy=false]');

async function expectNoSidewaysScroll(): Promise<void> {
  const over = await open.page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  expect(over).toBe(0);
}

describe.skipIf(leftOut !== null)('in a browser', () => {
  beforeAll(async () => {
    built = await buildConsole();
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await built?.[Symbol.asyncDispose]();
  });

  describe('a part of a plan', () => {
    const roster = smallRoster({ pupils: 3 });
    let planId = '';
    beforeAll(async () => {
      const { line, go } = await start();
      ({ id: planId } = await line.plan({ roster, now: new Date() }));
      await go(`/plans/${planId}`);
    });
    afterAll(finish);

    it('brings one school, and only that, to the targets', async () => {
      const { page, line } = open;
      const changes = await line.changes(planId);
      const meant = changes.filter((one) => one.institution === '101001');
      await page.getByLabel(danish.choose.part, { exact: true }).check();
      await outcome().getByText(danish.weight.nothing).waitFor();
      expect(
        await page.getByRole('button', { name: danish.plan.commit, exact: true }).isDisabled(),
      ).toBe(true);
      await page.getByRole('checkbox', { name: /^Skole 101001/ }).check();
      await outcome()
        .getByText(danish.weight.going(`${meant.length}`, `${changes.length}`))
        .waitFor();
      await picture(page, 'plan-part');
      await page.getByRole('button', { name: danish.plan.commit, exact: true }).click();
      await picture(page, 'plan-sure');
      await page.getByRole('button', { name: danish.plan.sureGo }).click();
      await committed();
      await picture(page, 'plan-done');
      await line.drain();
      const there = ['elev1001', 'elev1002', 'elev1003', 'lear1001', 'lede1001'];
      for (const target of Object.values(line.targets)) {
        expect(accounts(target)).toEqual(there);
        expect(JSON.stringify([...target.held])).not.toContain('101002');
      }
    });

    it('takes single changes by ticks, and says what comes along', async () => {
      const { page, line, go } = open;
      const { id } = await line.plan({ roster, now: new Date() });
      await go(`/plans/${id}?kind=account&target=keycloak&text=elev2002`);
      await page.getByLabel(danish.choose.ticked).check();
      await page.getByRole('checkbox', { name: /elev2002/ }).check();
      await outcome()
        .getByText(/følg|kommer med/)
        .waitFor();
      await picture(page, 'plan-ticked');
      await commit();
      await committed();
      await line.drain();
      expect(accounts(line.targets.keycloak).filter((name) => name.startsWith('elev2'))).toEqual([
        'elev2002',
      ]);
      expect(accounts(line.targets.moodle).some((name) => name.startsWith('elev2'))).toBe(false);
      // Her class's group came along.
      expect(
        JSON.stringify([...line.targets.keycloak.held].filter(([ref]) => ref.startsWith('group/'))),
      ).toContain('101002');
    });

    it('leaves out what is ticked', async () => {
      const { page, line, go } = open;
      const { id } = await line.plan({ roster, now: new Date() });
      await go(`/plans/${id}?text=elev2003`);
      await page.getByLabel(danish.choose.except).check();
      await page.getByLabel(danish.plan.tickShown).check();
      await outcome()
        .getByText(/ikke valgt/)
        .waitFor();
      await commit();
      await committed();
      await line.drain();
      for (const target of Object.values(line.targets)) {
        expect(accounts(target)).not.toContain('elev2003');
        expect(accounts(target)).toContain('elev2001');
      }
    });
  });

  describe('the list of changes', () => {
    const roster = smallRoster({ pupils: 24 });
    beforeAll(async () => {
      const { line } = await start(
        'version: 1\nlimits: { deactivate: { percent: 5, count: 3 } }\n',
      );
      await line.day({ roster, now: new Date(Date.now() - 86_400_000) });
      await line.drain();
    });
    afterAll(finish);

    it('unfolds what was and what shall be, keeps to what is held, and names its limit', async () => {
      const { line, page, go } = open;
      const people = roster.people
        .filter(({ uniId }) => !/^elev20(0[1-9]|1)/.test(uniId))
        .map((one) => (one.uniId === 'elev1001' ? { ...one, family: 'Nyberg' } : one));
      const { id } = await line.plan({ roster: { ...roster, people }, now: new Date() });
      await go(`/plans/${id}`);
      await outcome()
        .getByText(danish.holds.codes['limit-deactivate'].title.toLowerCase())
        .first()
        .waitFor();
      await picture(page, 'plan-held');
      await page.getByLabel(danish.plan.held, { exact: true }).selectOption('false');
      await page.getByText(/^Viser 3 af 3$/).waitFor();
      const row = page.getByRole('button', { name: /Nyberg/ }).first();
      await row.focus();
      await page.keyboard.press('Enter');
      const unfolded = page.locator('.unfolded:not([hidden])');
      expect(await unfolded.getByRole('row', { name: /Prøvesen.*Nyberg/ }).count()).toBe(1);
      await unfolded.getByRole('link', { name: danish.plan.seePerson }).waitFor();
      await picture(page, 'plan-unfolded', '#changes');
      await page.getByLabel(danish.plan.held, { exact: true }).selectOption('true');
      await page.getByText(/^Viser (\d+) af \1$/).waitFor();
      await page.locator('tr.held-row .unfold').first().click();
      await page
        .locator('.unfolded:not([hidden])')
        .getByText(/Grænsen er 5 % og 3/)
        .waitFor();
    });

    it.each([360, 390])('fits %i px, and answers to the keyboard', async (width) => {
      const { page } = open;
      await page.setViewportSize({ width, height: 800 });
      await expectNoSidewaysScroll();
      await page.getByLabel(danish.choose.all, { exact: true }).focus();
      await page.keyboard.press('ArrowDown');
      expect(await page.getByLabel(danish.choose.part, { exact: true }).isChecked()).toBe(true);
      await page.getByLabel(danish.choose.ticked).check();
      await expectNoSidewaysScroll();
      await page.getByLabel(danish.choose.all, { exact: true }).check();
    });

    it('speaks English too', async () => {
      const { page } = open;
      await page.getByRole('button', { name: danish.language }).click();
      await page.getByRole('heading', { name: english.weight.heading }).waitFor();
      await page.getByRole('button', { name: english.language }).click();
    });

    it('offers nothing of a plan that is too old, and says what to do', async () => {
      const { page, line } = open;
      await line.database.as(line.tenant, (tx) =>
        tx.execute(`update plan set expires_at = now() - interval '1 hour' where state = 'open'`),
      );
      await page.reload();
      await page.getByText(danish.plan.expiredHeading).waitFor();
      expect(await page.getByRole('button', { name: danish.plan.commit }).count()).toBe(0);
    });

    it('says so when somebody else has committed meanwhile', async () => {
      const { page, line, go } = open;
      const { id } = await line.plan({ roster: smallRoster({ pupils: 25 }), now: new Date() });
      await go(`/plans/${id}`);
      await outcome().getByText(danish.weight.undoable).waitFor();
      await line.commit({ planId: id, now: new Date() });
      await commit();
      await committed();
      await page.getByRole('alert').getByText(danish.errors.known['plan-not-open']).waitFor();
      await page.getByRole('button', { name: danish.done.undo }).waitFor();
    });
  });

  describe('two people', () => {
    let planId = '';
    beforeAll(async () => {
      const { line, go } = await start(
        'version: 1\napproval: { fourEyes: [{ kinds: [account] }] }\n',
      );
      ({ id: planId } = await line.plan({ roster: smallRoster({ pupils: 2 }), now: new Date() }));
      await go(`/plans/${planId}`);
    });
    afterAll(finish);

    it('refuses the commit of one alone, in plain words', async () => {
      const { page, line } = open;
      await page.getByText(danish.approval.none).waitFor();
      await commit();
      await page.getByRole('alert').getByText(danish.errors.known['plan-needs-approval']).waitFor();
      await picture(page, 'plan-refused');
      await line.drain();
      expect(line.targets.keycloak.held.size).toBe(0);
    });

    it('does not count who commits among those who want it', async () => {
      const { page } = open;
      await page.getByRole('button', { name: danish.approval.want }).click();
      await page.getByText(danish.approval.noted).waitFor();
      await page.locator('.two-people').getByText('local-token (dig)').waitFor();
      await page
        .locator('.two-people')
        .getByText(/mangler/)
        .waitFor();
    });

    it('commits what somebody else wants', async () => {
      const { page, line, go } = open;
      await approvePlan({
        ...{ database: line.database, tenant: line.tenant, planId, selection: {} },
        ...{ actor: { id: 'lone', name: 'Lone' }, now: new Date() },
      });
      await go(`/plans/${planId}`);
      await page.locator('.two-people').getByText('Lone').waitFor();
      await page.locator('.two-people').getByText(danish.approval.complete).waitFor();
      await picture(page, 'plan-two-people');
      await commit();
      await committed();
      await line.drain();
      expect(accounts(line.targets.keycloak)).toContain('elev1001');
    });
  });

  describe('what moved meanwhile, and the way back', () => {
    const roster = smallRoster({ pupils: 3 });
    let planId = '';
    beforeAll(async () => {
      const { line } = await start();
      const day = await line.day({ roster, now: new Date() });
      planId = day.plan.id;
      await line.drain();
    });
    afterAll(finish);

    const renamed = (name: string, ...ids: readonly string[]) => ({
      ...roster,
      people: roster.people.map((one) => (ids.includes(one.uniId) ? { ...one, given: name } : one)),
    });

    it('leads to the plan in which the overtaken part is planned again', async () => {
      const { page, line, go } = open;
      const next = renamed('Asta', 'elev1001', 'elev1002');
      const { id } = await line.plan({ roster: next, now: new Date() });
      await line.database.as(line.tenant, (tx) =>
        tx.execute(
          `update resource set desired = desired || '{"given": "Anden"}'
           where target = 'keycloak' and desired->>'username' = 'elev1001'`,
        ),
      );
      await go(`/plans/${id}`);
      await outcome().getByText(danish.weight.stale('1')).waitFor();
      await commit();
      await committed();
      await page.getByText(danish.done.replanned('1')).waitFor();
      await picture(page, 'plan-replanned');
      await page.getByRole('link', { name: danish.done.seeNew }).click();
      await page.getByText(danish.undo.replansHeading).waitFor();
      await commit();
      await committed();
      await line.drain();
      expect(JSON.stringify([...line.targets.keycloak.held])).not.toContain('Anden');
    });

    it('says up front what cannot come back, and shuts what was made', async () => {
      const { page, line, go } = open;
      await go(`/plans/${planId}`);
      await committed();
      await page.getByRole('button', { name: danish.done.undo }).click();
      await page.getByRole('heading', { name: danish.undo.heading }).waitFor();
      await page.getByRole('heading', { name: danish.undo.cannotHeading }).waitFor();
      await page.getByText(danish.undo.cannot['changed-since']).first().waitFor();
      await picture(page, 'undo-preview');
      await commit();
      await committed();
      await line.drain();
      const open_ = [...line.targets.keycloak.held.values()]
        .map((body) => body as { username?: string; active: boolean })
        .filter((body) => body.username !== undefined && body.active)
        .map((body) => body.username)
        .sort();
      expect(open_).toEqual(['elev1001', 'elev1002']);
      await go(`/plans/${planId}`);
      await page.getByText(danish.done.undone).waitFor();
      await go('/plans');
      await page.getByText(danish.plans.undoes).waitFor();
      await picture(page, 'plans');
    });
  });

  describe('the policy', () => {
    const first = '# Kommunens regler\nversion: 1\nlanguage: da\n';
    const second = 'version: 1\nlanguage: en\nnextcloud: { onDelete: delete }\n';
    beforeAll(async () => {
      const { line } = await start();
      const found = { text: first, policy: parse(first), by: 'anna' };
      await rewordPolicy({ ...line, found });
      await line.day({ roster: smallRoster({ pupils: 1 }), now: new Date() });
    });
    afterAll(finish);

    function parse(text: string) {
      return parsePolicy({ text, file: 'policy.yaml' });
    }

    it('shows what is in force, and puts a previewed version into force through its plan', async () => {
      const { page, line, go } = open;
      await go('/policy');
      await page.getByText('# Kommunens regler').waitFor();
      await page.getByRole('cell', { name: /anna/ }).waitFor();
      const candidate = { text: second, policy: parse(second), by: 'ole' };
      await previewPolicy({
        ...{ database: line.database, tenant: line.tenant, candidate },
        targets: new Map(Object.values(line.targets).map(({ name, type }) => [name, type])),
        ...{ allowed: new Set<string>(), now: new Date() },
      });
      await go('/policy');
      await page.getByText(danish.policy.preview('2')).waitFor();
      await page.getByRole('link', { name: danish.policy.number('2') }).click();
      await page.locator('pre').getByText('onDelete').waitFor();
      await picture(page, 'policy');
      await page.setViewportSize({ width: 360, height: 800 });
      await expectNoSidewaysScroll();
      await page.getByRole('link', { name: danish.policy.seePlan }).first().click();
      await page.getByText(danish.undo.policyHeading('2')).waitFor();
      await expectNoSidewaysScroll();
    });

    it('has no version that was never written', async () => {
      const { page, go } = open;
      await go('/policy/9');
      await page.getByRole('alert').getByText(danish.errors.known['not-found']).waitFor();
    });
  });
});
