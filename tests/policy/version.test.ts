import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitPlan } from '../../provisioning/ledger/commit.ts';
import { makePlan } from '../../provisioning/plan/make.ts';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import type { NewPolicyVersion } from '../../provisioning/policy/version.ts';
import {
  isSamePolicy,
  listPolicyVersions,
  readPolicyInForce,
  rewordPolicy,
} from '../../provisioning/policy/version.ts';
import { previewPolicy } from '../../provisioning/preview-policy.ts';
import { acceptSnapshot } from '../../provisioning/roster/accept.ts';
import type { Line } from '../support/line.ts';
import { countPlanned, openLine } from '../support/line.ts';
import { feedItems, smallRoster } from '../support/roster.ts';

let line: Line;
const now = new Date('2026-11-02T05:00:00Z');
const roster = smallRoster({ pupils: 3 });
const defaultText = readFileSync(
  new URL('../../provisioning/policy/default.yaml', import.meta.url),
  'utf8',
);
const read = (text: string): NewPolicyVersion => ({
  text,
  policy: parsePolicy({ text, file: 'policy.yaml' }),
  by: 'anna',
});
const first = read('version: 1\n');
const noMoodle = read(`version: 1
packages:
  - { name: pupils, when: { kinds: [pupil] }, gives: { keycloak: true, nextcloud: {} } }
  - { name: staff, when: { kinds: [staff] }, gives: { keycloak: true, nextcloud: {} } }
groups:
  class: { course: false }
lifecycle: { graceDays: { pupil: 0, staff: 0 } }
limits: { deactivate: { percent: 100 } }
`);

beforeEach(async () => {
  line = await openLine();
});

afterEach(async () => {
  await line[Symbol.asyncDispose]();
});

const targets = new Map([
  ['keycloak', 'keycloak'],
  ['nextcloud', 'nextcloud'],
  ['moodle', 'moodle'],
] as const);

/** A sync by the policy in force, or by the first one. */
async function sync(p: { readonly commit: boolean; readonly candidate?: NewPolicyVersion }) {
  const items = feedItems(roster);
  const snapshot = await acceptSnapshot({ ...line, source: 'main', items, now });
  const inForce = await readPolicyInForce(line);
  const plan = await makePlan({
    ...line,
    targets,
    policy: inForce?.policy ?? (p.candidate ?? first).policy,
    candidate: inForce === null ? (p.candidate ?? first) : null,
    snapshotId: snapshot.id,
    schoolYear: snapshot.schoolYear,
    allowed: new Set(),
    now,
  });
  if (p.commit) await commitPlan({ ...line, planId: plan.id, now });
  return plan;
}

const preview = (candidate: NewPolicyVersion) =>
  previewPolicy({ ...line, candidate, targets, allowed: new Set(), now });

async function ledger() {
  return line.database.as(line.tenant, (tx) =>
    tx.query(
      `select target, kind, key, title, needs, desired, applied, state, scheduled from resource
       order by 1, 2, 3`,
    ),
  );
}

const states = async () =>
  (await listPolicyVersions(line)).map(({ version, state }) => [version, state]);

describe('the first policy', () => {
  it('comes into force with the first commit, and not before', async () => {
    await sync({ commit: false });
    expect(await readPolicyInForce(line)).toBeNull();
    expect(await states()).toEqual([[1, 'previewed']]);
    await sync({ commit: true });
    expect(await readPolicyInForce(line)).toMatchObject({ version: 1, text: first.text });
    expect(await states()).toEqual([[1, 'in-force']]);
    expect(countPlanned(await sync({ commit: true }))).toBe(0);
  });

  it('may be another one at every plan before it', async () => {
    const random = read('version: 1\nusernames: { strategy: random }\n');
    await sync({ commit: false, candidate: random });
    await sync({ commit: true });
    const names = await line.database.as(line.tenant, (tx) =>
      tx.query<{ username: string; preview: string | null }>(
        'select username, preview from username order by 1',
      ),
    );
    expect(names[0]).toEqual({ username: 'elev1001', preview: null });
    expect(names).toHaveLength(roster.people.length);
  });
});

describe('another policy', () => {
  beforeEach(async () => {
    await sync({ commit: true });
    await line.drain();
  });

  it('is previewed without writing anything, takes effect at apply, and then nothing is left to plan', async () => {
    const before = await ledger();
    const plan = await preview(noMoodle);
    expect(plan.changes['moodle']?.['account']).toMatchObject({ deactivate: 10 });
    expect(await ledger()).toEqual(before);
    expect(await readPolicyInForce(line)).toMatchObject({ version: 1 });
    expect(await states()).toEqual([
      [2, 'previewed'],
      [1, 'in-force'],
    ]);

    await commitPlan({ ...line, planId: plan.id, now });
    expect(await readPolicyInForce(line)).toMatchObject({ version: 2, text: noMoodle.text });
    expect(await states()).toEqual([
      [2, 'in-force'],
      [1, 'past'],
    ]);
    await line.drain();
    expect(countPlanned(await sync({ commit: true }))).toBe(0);
  });

  it('does not take effect by a sync, whose plan replaces the preview', async () => {
    const previewed = await preview(noMoodle);
    expect(countPlanned(await sync({ commit: true }))).toBe(0);
    expect(await states()).toEqual([[1, 'in-force']]);
    await expect(commitPlan({ ...line, planId: previewed.id, now })).rejects.toMatchObject({
      code: 'plan-not-open',
    });
  });

  it('brings what its resources need along', async () => {
    const withTeams = read(`version: 1
groups:
  class: { keycloak: false }
lifecycle: { graceDays: { pupil: 0, staff: 0, external: 0, guardian: 0 } }
limits: { deactivate: { percent: 100 } }
`);
    const off = await preview(withTeams);
    await commitPlan({ ...line, planId: off.id, now });
    await line.drain();
    expect(countPlanned(await sync({ commit: true }))).toBe(0);
    const on = await preview(first);
    await commitPlan({ ...line, planId: on.id, now });
    const [account] = await line.database.as(line.tenant, (tx) =>
      tx.query<{ needs: string[] }>(
        `select needs from resource where target = 'keycloak' and kind = 'account'
           and desired->>'username' = 'elev1001'`,
      ),
    );
    expect(account?.needs).toContain('group/group:101001/7A');
    await line.drain();
    expect(countPlanned(await sync({ commit: true }))).toBe(0);
  });

  it('gives usernames only together with its commit', async () => {
    const count = async () =>
      (await line.database.as(line.tenant, (tx) => tx.query('select from username'))).length;
    const child = { ...roster.people[2], uniId: 'barn1001', institution: '101001' } as const;
    const items = feedItems({
      ...roster,
      people: [...roster.people, { ...child, roles: ['child'] }],
    });
    await acceptSnapshot({ ...line, source: 'main', items, now });
    const everybody = read(`version: 1
packages:
  - { name: everybody, when: {}, gives: { keycloak: true, nextcloud: { quota: 5 GB }, moodle: {} } }
`);
    const before = await count();
    await preview(everybody);
    expect(await count()).toBe(before + 1);
    await preview(first);
    expect(await count()).toBe(before);
    const plan = await preview(everybody);
    await commitPlan({ ...line, planId: plan.id, now });
    await preview(everybody);
    expect(await count()).toBe(before + 1);
  });
});

describe('the meaning of a policy', () => {
  it('is the same in other words, and in its own written out', () => {
    expect(isSamePolicy(first.policy, parsePolicy({ text: defaultText, file: 'd' }))).toBe(true);
    expect(
      isSamePolicy(
        read('version: 1\nemail: { realFor: [staff] }\nlanguage: en\n').policy,
        read('# ours\nlanguage: en\nversion: 1\nemail:\n  realFor: [staff]\n').policy,
      ),
    ).toBe(true);
    expect(isSamePolicy(first.policy, noMoodle.policy)).toBe(false);
  });

  it.each([defaultText, first.text, noMoodle.text])('survives the store', async (text) => {
    const found = read(text);
    await rewordPolicy({ ...line, found });
    const stored = await readPolicyInForce(line);
    expect(stored?.policy).toEqual(found.policy);
    expect(stored?.text).toBe(text);
  });

  it('does not follow a default that a later Skolebus changes', async () => {
    await sync({ commit: true });
    await line.database.as(line.tenant, (tx) =>
      tx.execute(`update policy_version set policy = jsonb_set(policy, '{language}', '"fo"')`),
    );
    const inForce = await readPolicyInForce(line);
    expect(inForce?.policy.language).toBe('fo');
    expect(isSamePolicy(first.policy, inForce?.policy ?? first.policy)).toBe(false);
  });

  it('fills in what a later Skolebus adds', async () => {
    await sync({ commit: true });
    await line.database.as(line.tenant, (tx) =>
      tx.execute(`update policy_version set policy = policy - 'drift'`),
    );
    expect((await readPolicyInForce(line))?.policy).toEqual(first.policy);
  });
});
