import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Observed } from '../../provisioning/target/contract.ts';
import { countPlanned } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';
import { inKeycloak, inMoodle, inNextcloud, makeByHand } from './by-hand.ts';
import type { TargetName, Town } from './town.ts';
import { openTown } from './town.ts';

let town: Town;

beforeEach(async () => {
  town = await openTown();
});

afterEach(async () => {
  await town[Symbol.asyncDispose]();
});

const roster = smallRoster({ pupils: 3 });
const targets: readonly TargetName[] = ['keycloak', 'nextcloud', 'moodle'];

function find(all: readonly Observed[], username: string): Observed {
  const one = all.find(({ body }) => (body['username'] ?? body['userId']) === username);
  if (one === undefined) throw new Error(`no ${username}`);
  return one;
}

const name = (body: Observed['body']) =>
  String(body['given'] ?? body['firstname'] ?? body['displayName']);

describe.each(targets)('accounts that stood in %s before', (target) => {
  it('are left alone until a plan links them, and are ours from then on', async () => {
    await makeByHand({ town, username: 'elev1001' });
    await makeByHand({ town, username: 'fremmed' });
    const before = await town.observe(target, 'account');
    await town.sync({ roster, commit: true });
    expect(await town.unsettled()).toContainEqual(
      expect.stringMatching(new RegExp(`^${target} account/person:.* username-taken$`)),
    );
    const after = await town.observe(target, 'account');
    for (const username of ['elev1001', 'fremmed']) {
      expect(find(after, username)).toEqual(find(before, username));
    }

    const proposal = await town.adopt({ target, kind: 'account', commit: false });
    expect(proposal?.changes[target]?.['account']).toMatchObject({ adopt: 1 });
    const [change, ...others] = await town.changes(proposal?.id ?? '');
    expect(others).toEqual([]);
    expect(change).toMatchObject({ action: 'adopt', reason: { code: 'adopt-username' } });
    expect(JSON.stringify(change?.reason.fields)).toContain('Gammel');
    expect(find(await town.observe(target, 'account'), 'elev1001')).toEqual(
      find(before, 'elev1001'),
    );

    await town.adopt({ target, kind: 'account', commit: true });
    const linked = find(await town.observe(target, 'account'), 'elev1001');
    expect(linked.externalId).toBe(find(before, 'elev1001').externalId);
    expect(name(linked.body)).toContain('Fornavn');
    if (target !== 'nextcloud') expect(linked.key).toMatch(/^person:/);
    expect(find(await town.observe(target, 'account'), 'fremmed')).toEqual(find(before, 'fremmed'));

    const again = await town.adopt({ target, kind: 'account', commit: false });
    expect(again).toBeNull();
    expect(countPlanned(await town.sync({ roster, commit: true }))).toBe(0);
    expect((await town.unsettled()).filter((line) => line.startsWith(target))).toEqual([]);
  });
});

describe('a username that stood before', () => {
  const uniId = 'lear1001';
  const email = 'lone@skole.example';
  const withEmail = {
    ...roster,
    people: roster.people.map((person) => (person.uniId === uniId ? { ...person, email } : person)),
  };

  it('is kept, in every target, for life', async () => {
    await makeByHand({ town, username: 'lone', uniId, email });
    await town.sync({ roster: withEmail, commit: false });
    const proposal = await town.adopt({ target: 'keycloak', kind: 'account', commit: true });
    expect((await town.changes(proposal?.id ?? '')).map((one) => one.reason.code)).toEqual([
      'adopt-email',
    ]);
    // The name is the person's now, so in the other targets it is no guess any more.
    for (const target of ['nextcloud', 'moodle'] as const) {
      const next = await town.adopt({ target, kind: 'account', commit: true });
      expect((await town.changes(next?.id ?? '')).map((one) => one.reason.code)).toEqual([
        'adopt-username',
      ]);
    }
    await town.sync({ roster: withEmail, commit: true });
    expect(await town.unsettled()).toEqual([]);
    for (const target of targets) {
      const accounts = await town.observe(target, 'account');
      expect(name(find(accounts, 'lone').body)).toContain('Fornavnlear1001');
      expect(() => find(accounts, uniId)).toThrow();
    }
    expect(countPlanned(await town.sync({ roster: withEmail, commit: true }))).toBe(0);
  });

  it('is not taken over for a UNI-ID alone, nor for an e-mail alone', async () => {
    await makeByHand({ town, username: 'lone', uniId });
    await makeByHand({ town, username: 'lone2', email });
    await town.sync({ roster: withEmail, commit: false });
    const before = await town.observe('keycloak', 'account');
    const proposal = await town.adopt({ target: 'keycloak', commit: true });
    expect(proposal?.held).toMatchObject([
      { code: 'adoption-ambiguous', kind: 'account', count: 1 },
    ]);
    expect(proposal?.changes['keycloak']?.['account']?.adopt).toBeUndefined();
    const [change] = await town.changes(proposal?.id ?? '');
    expect(change).toMatchObject({ held: 'adoption-ambiguous', outcome: 'held' });
    expect(JSON.stringify(change?.reason.fields)).toContain('uni-id-only');
    expect(await town.observe('keycloak', 'account')).toEqual(before);
  });
});

describe('groups, folders and courses that stood before', () => {
  it('are proposed by their natural name', async () => {
    await town.sync({ roster, commit: false });
    const wanted = await town.adopt({ target: 'nextcloud', commit: false });
    expect(wanted).toBeNull();
    const plan = await town.sync({ roster, commit: false });
    const group = (await town.changes(plan.id)).find(
      (one) => one.target === 'nextcloud' && one.kind === 'group' && one.key.endsWith(':staff'),
    );
    const groupId = await wantedBody({ ref: group?.key ?? '', field: 'groupId' });
    const folder = (await town.changes(plan.id)).find(
      (one) => one.target === 'nextcloud' && one.kind === 'folder',
    );
    const mountPoint = await wantedBody({ ref: folder?.key ?? '', field: 'mountPoint' });
    await inNextcloud({
      town,
      method: 'POST',
      path: '/ocs/v2.php/cloud/groups',
      form: { groupid: groupId },
    });
    await inNextcloud({
      town,
      method: 'POST',
      path: '/index.php/apps/groupfolders/folders',
      form: { mountpoint: mountPoint },
    });
    const proposal = await town.adopt({ target: 'nextcloud', commit: true });
    expect(
      (await town.changes(proposal?.id ?? '')).map((one) => [one.kind, one.reason.code]),
    ).toEqual([
      ['group', 'adopt-name'],
      ['folder', 'adopt-name'],
    ]);
    await town.sync({ roster, commit: true });
    expect((await town.unsettled()).filter((line) => line.startsWith('nextcloud'))).toEqual([]);
    expect(countPlanned(await town.sync({ roster, commit: true }))).toBe(0);
    const folders = await town.observe('nextcloud', 'folder');
    expect(folders.filter((one) => one.body['mountPoint'] === mountPoint)).toHaveLength(1);
  });

  it('are marked in Moodle and Keycloak once they are linked, with everything below them', async () => {
    const plan = await town.sync({ roster, commit: false });
    const wanted = async (target: string, kind: string, field: string) => {
      const one = (await town.changes(plan.id)).find(
        (change) =>
          change.target === target && change.kind === kind && change.institution === '101001',
      );
      return wantedBody({ ref: one?.key ?? '', field, target, kind });
    };
    const school = { name: await wanted('moodle', 'category', 'name') };
    const made = (await inMoodle({
      town,
      function: 'core_course_create_categories',
      form: { 'categories[0][name]': school.name, 'categories[0][idnumber]': 'nr-17' },
    })) as { id: number }[];
    const course = await wanted('moodle', 'course', 'shortname');
    await inMoodle({
      town,
      function: 'core_course_create_courses',
      form: {
        'courses[0][fullname]': 'Gammelt kursus',
        'courses[0][shortname]': course,
        'courses[0][categoryid]': String(made[0]?.id),
      },
    });
    await inMoodle({
      town,
      function: 'core_cohort_create_cohorts',
      form: {
        'cohorts[0][categorytype][type]': 'system',
        'cohorts[0][categorytype][value]': '',
        'cohorts[0][name]': await wanted('moodle', 'cohort', 'name'),
        'cohorts[0][idnumber]': '',
      },
    });
    const top = await inKeycloak({
      town,
      method: 'POST',
      path: 'groups',
      body: { name: 'Skole 101001' },
    });
    await inKeycloak({
      town,
      method: 'POST',
      path: `groups/${top.id}/children`,
      body: { name: '7.A 2026-2027' },
    });
    for (const [target, count] of [
      ['moodle', 3],
      ['keycloak', 2],
    ] as const) {
      const proposal = await town.adopt({ target, commit: true });
      const reasons = (await town.changes(proposal?.id ?? '')).map((one) => one.reason.code);
      expect(reasons).toEqual(Array.from({ length: count }, () => 'adopt-name'));
    }
    await town.sync({ roster, commit: true });
    expect(await town.unsettled()).toEqual([]);
    for (const kind of ['category', 'course', 'cohort'] as const) {
      const ours = (await town.observe('moodle', kind)).filter((one) => one.key !== null);
      expect(ours).toHaveLength(2);
    }
    const groups = await town.observe('keycloak', 'group');
    expect(groups.map((one) => one.key === null)).toEqual(groups.map(() => false));
    expect(groups.find((one) => one.key === 'school:101001')?.externalId).toBe(top.id);
    expect((await town.drift()).differences).toEqual([]);
    expect(countPlanned(await town.sync({ roster, commit: true }))).toBe(0);
  });

  async function wantedBody(p: {
    readonly ref: string;
    readonly field: string;
    readonly target?: string;
    readonly kind?: string;
  }): Promise<string> {
    const [row] = await town.database.as(town.tenant, (tx) =>
      tx.query<{ value: string }>(
        `select after->>$2 as value from change
         where key = $1 and after->>$2 is not null and ($3::text is null or target = $3)
           and ($4::text is null or kind = $4)
         order by plan_id limit 1`,
        [p.ref, p.field, p.target ?? null, p.kind ?? null],
      ),
    );
    return row?.value ?? '';
  }
});
