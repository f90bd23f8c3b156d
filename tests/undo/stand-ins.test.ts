import { expect, it } from 'vitest';
import { commitPlan } from '../../provisioning/ledger/commit.ts';
import { openTown } from '../adopt/town.ts';
import { countPlanned } from '../support/line.ts';
import type { SmallRoster } from '../support/roster.ts';
import { smallRoster } from '../support/roster.ts';
import { compareWhole, isShut, observeWhole } from './whole.ts';

/** No grace: whoever leaves is shut at once. */
const policy = `version: 1
lifecycle: { graceDays: { pupil: 0, staff: 0, external: 0, guardian: 0 } }
`;

/** Joins, leaves, moves, names, a new class, a teacher with one class more. */
function nextDay(roster: SmallRoster): SmallRoster {
  const people = roster.people
    .filter(({ uniId }) => uniId !== 'elev1001' && uniId !== 'lear2001')
    .map((person) => {
      switch (person.uniId) {
        case 'elev1002':
          return { ...person, family: 'Nygift' };
        case 'elev1003':
          return { ...person, groups: ['7B'] };
        case 'elev2001':
          return { ...person, institution: '101001' };
        case 'lear1001':
          return { ...person, groups: ['7A', '7B'] };
        case 'lede1001':
          return { ...person, email: 'leder@skole.example' };
        default:
          return person;
      }
    });
  return {
    ...roster,
    groups: [
      ...roster.groups.map((group) =>
        group.institution === '101002' ? { ...group, name: '7.X' } : group,
      ),
      { institution: '101001', id: '7B', name: '7.B' },
    ],
    people: [...people, { uniId: 'elev1900', institution: '101001', groups: ['7A'] }],
  };
}

it('an ordinary day is turned back in all three servers, compared whole', async () => {
  await using town = await openTown({ policy });
  const first = smallRoster({ pupils: 4 });
  const second = nextDay(first);
  await town.sync({ roster: first, commit: true });
  const was = await observeWhole(town.connectors);
  const day = await town.sync({ roster: second, commit: true });
  const between = await observeWhole(town.connectors);
  const touched = compareWhole({ was, is: between });
  expect(touched.filter((one) => one.was !== null).length).toBeGreaterThan(15);

  const preview = await town.undo({ planId: day.id, commit: false });
  expect(preview.cannot).toEqual([]);
  expect(compareWhole({ was: between, is: await observeWhole(town.connectors) })).toEqual([]);
  await town.undo({ planId: day.id, commit: true });
  expect(await town.unsettled()).toEqual([]);

  // What the day had created is shut, never deleted: nothing else may differ in any way.
  const after = await observeWhole(town.connectors);
  const differences = compareWhole({ was, is: after });
  expect(differences.map(({ was: before, is }) => [before, is !== null && isShut(is)])).toEqual(
    differences.map(() => [null, true]),
  );
  expect(
    differences.map(({ at, is }) => `${at.split('/')[0]} ${nameOf(is?.body)}`).toSorted(),
  ).toEqual([
    'keycloak account elev1900',
    'keycloak group 7.B 2026-2027',
    'moodle account elev1900',
    'moodle cohort 7.B Skole 101001',
    'moodle course 7.B 2026-2027',
    'nextcloud account elev1900',
    'nextcloud folder 7.B 2026-2027 (Skole 101001)',
    'nextcloud group 7.B Skole 101001',
  ]);

  // The same feed again wants the same again: that is held, and nothing else is planned.
  const again = await town.sync({ roster: second, commit: true });
  expect(countPlanned(again)).toBe(0);
  expect(new Set(again.held.map(({ code }) => code))).toEqual(new Set(['undone']));
  expect(compareWhole({ was: after, is: await observeWhole(town.connectors) })).toEqual([]);

  // Let through, it comes back as it was on the day, with the same usernames and ids.
  await town.sync({ roster: second, commit: true, allowed: ['101001', '101002', '*'] });
  expect(await town.unsettled()).toEqual([]);
  expect(compareWhole({ was: between, is: await observeWhole(town.connectors) })).toEqual([]);
  // Courses let leavers go only once their accounts are shut: that takes one sync more.
  await town.sync({ roster: second, commit: true });
  expect(countPlanned(await town.sync({ roster: second, commit: true }))).toBe(0);
}, 180_000);

function nameOf(body: Readonly<Record<string, unknown>> | undefined): string {
  const names = ['username', 'userId', 'fullname', 'name', 'displayName', 'mountPoint'] as const;
  return String(names.map((name) => body?.[name]).find((name) => name !== undefined));
}

it('a plan that was never applied is turned back too', async () => {
  await using town = await openTown({ policy });
  const first = smallRoster({ pupils: 2 });
  await town.sync({ roster: first, commit: true });
  const was = await observeWhole(town.connectors);
  const day = await town.sync({ roster: nextDay(first), commit: false });
  await commitPlan({ ...town, planId: day.id, now: new Date() });
  await town.undo({ planId: day.id, commit: true });
  expect(await town.unsettled()).toEqual([]);
  const differences = compareWhole({ was, is: await observeWhole(town.connectors) });
  expect(differences.filter((one) => one.is === null || !isShut(one.is))).toEqual([]);
  expect(differences.every((one) => one.was === null)).toBe(true);
}, 180_000);

it('an undo never shows whom protection hides', async () => {
  await using town = await openTown({ policy });
  const first = smallRoster({ pupils: 2 });
  await town.sync({ roster: first, commit: true });
  const hidden = { protected: true, given: null, family: null };
  const people = first.people.map((one) => {
    if (one.uniId === 'elev1001') return { ...one, ...hidden };
    return one.uniId === 'elev1002' ? { ...one, ...hidden, groups: [] } : one;
  });
  const day = await town.sync({ roster: { ...first, people }, commit: true });
  const plan = await town.undo({ planId: day.id, commit: true });
  expect(plan.cannot.map(({ code, kind, count }) => [code, kind, count])).toEqual(
    ['keycloak', 'moodle', 'nextcloud'].map(() => ['protected', 'account', 2]),
  );
  const whole = JSON.stringify([...(await observeWhole(town.connectors)).values()]);
  expect(whole).not.toMatch(/Fornavnelev100[12]/);
  expect(whole).toMatch(/Fornavnelev2001/);
  expect(JSON.stringify(plan)).not.toMatch(/Fornavnelev100[12]/);
}, 180_000);
