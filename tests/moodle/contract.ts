import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MoodleAccount } from '../../provisioning/policy/resource.ts';
import {
  account,
  type Bench,
  category,
  cohort,
  course,
  openBench,
  type RunningMoodle,
} from './bench.ts';
import { countWrites } from './proxy.ts';

/** What every Moodle must bear of the connector: the stand-in always, a real one when it is at hand. */
export function moodleContract(p: { readonly start: () => Promise<RunningMoodle> }): void {
  let moodle: RunningMoodle;
  let bench: Bench;
  let name: (text: string) => string;
  beforeAll(async () => {
    moodle = await p.start();
    bench = await openBench(moodle);
    name = (text) => `${text}-${bench.run}`;
    const made = await bench.apply('category', { [name('school')]: category(name('Skole')) });
    expect(made[name('school')]?.state).toBe('applied');
  });
  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
    await moodle[Symbol.asyncDispose]();
  });

  const applied = { state: 'applied' };
  const people = (prefix: string, count: number, from = 0) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => {
        const username = name(`${prefix}${index + from}`);
        return [username, account(username)];
      }),
    ) as Record<string, MoodleAccount>;

  test('check finds nothing wrong', async () => {
    const results = await bench.connector.check();
    expect(results.filter((result) => !result.ok)).toEqual([]);
    expect(results.map((result) => result.name)).toEqual([
      'reachable',
      'version',
      'functions',
      'read-rights',
      'max-input-vars',
      'write-probe',
    ]);
  });

  describe('account', () => {
    test('is made, changed, suspended, let in again and deleted', async () => {
      const key = name('life');
      const steps: readonly MoodleAccount[] = [
        account(key),
        account(key, { firstname: 'Åse & Bo', lastname: 'O\'Hara "Ø"' }),
        account(key, { email: `${key}-ny@elev.example.test`, active: false }),
        account(key, { email: `${key}-ny@elev.example.test`, active: true, auth: 'manual' }),
      ];
      for (const body of steps) {
        expect(await bench.apply('account', { [key]: body })).toMatchObject({ [key]: applied });
        const seen = (await bench.observed('account')).get(key);
        expect(seen?.body).toEqual({ ...body, idnumber: `skolebus:${key}` });
      }
      expect(await bench.apply('account', { [key]: null })).toMatchObject({ [key]: applied });
      expect((await bench.observed('account')).has(key)).toBe(false);
      // Twice is no harm, and the name is free again (recording moodle-4.5.6/13).
      expect(await bench.apply('account', { [key]: null })).toMatchObject({ [key]: applied });
      expect(await bench.apply('account', { [key]: account(key) })).toMatchObject({
        [key]: applied,
      });
    });

    test('may be made suspended, and with a password of its own', async () => {
      const bodies = {
        [name('closed')]: account(name('closed'), { active: false }),
        [name('local')]: account(name('local'), { auth: 'manual' }),
      };
      await bench.apply('account', bodies);
      const seen = await bench.observed('account');
      expect(seen.get(name('closed'))?.body['active']).toBe(false);
      expect(seen.get(name('local'))?.body['auth']).toBe('manual');
    });

    test('that Moodle refuses does not fail its 49 neighbours', async () => {
      const bodies = people('fifty', 50);
      const bad = name('fifty17');
      bodies[bad] = account(bad, { lastname: '<b>Bo</b>' });
      const outcomes = await bench.apply('account', bodies);
      expect(outcomes[bad]).toMatchObject({ state: 'rejected', code: 'invalid-parameter' });
      const good = Object.values(outcomes).filter((outcome) => outcome.state === 'applied');
      expect(good).toHaveLength(49);
      const seen = await bench.observed('account');
      expect(Object.keys(bodies).filter((key) => seen.has(key))).toHaveLength(49);
    });

    test('says what is wrong with it: name, length, e-mail, sign-in plugin', async () => {
      const holder = name('holder');
      await bench.apply('account', { [holder]: account(holder) });
      const email = `${holder.toUpperCase()}@elev.example.test`;
      const outcomes = await bench.apply('account', {
        [name('upper')]: account('Søren'),
        [name('long')]: account(name('long'), { firstname: 'Å'.repeat(101) }),
        [name('same-mail')]: account(name('same-mail'), { email }),
        [name('no-mail')]: account(name('no-mail'), { email: 'ikke-en-adresse' }),
        [name('no-plugin')]: account(name('no-plugin'), { auth: 'findesikke' }),
        [name('fine')]: account(name('fine')),
      });
      const codes = Object.values(outcomes).map((one) => ('code' in one ? one.code : one.state));
      expect(codes).toEqual([
        'invalid-username',
        'too-long',
        'email-taken',
        'invalid-parameter',
        'auth-plugin-missing',
        'applied',
      ]);
    });

    test('of somebody else is neither taken over nor changed', async () => {
      const foreign = name('foreign');
      await bench.call('core_user_create_users', {
        'users[0][username]': foreign,
        'users[0][firstname]': 'Fremmed',
        'users[0][lastname]': 'Konto',
        'users[0][email]': `${foreign}@elev.example.test`,
        'users[0][auth]': 'oauth2',
      });
      const outcomes = await bench.apply('account', { [name('mine')]: account(foreign) });
      expect(outcomes[name('mine')]).toMatchObject({ state: 'rejected', code: 'username-taken' });
      const seen = [...(await bench.observed('account')).values()];
      const untouched = seen.find((one) => one.body['username'] === foreign);
      expect(untouched).toMatchObject({ key: null, body: { firstname: 'Fremmed', idnumber: '' } });
    });

    test('that lost its mark is left alone', async () => {
      const key = name('unmarked');
      await bench.apply('account', { [key]: account(key) });
      const id = bench.externalId('account', key);
      await bench.call('core_user_update_users', {
        'users[0][id]': id,
        'users[0][idnumber]': 'somebody else',
      });
      for (const body of [account(key, { firstname: 'Ny' }), null]) {
        const outcomes = await bench.apply('account', { [key]: body });
        expect(outcomes[key]).toMatchObject({ state: 'rejected', code: 'not-ours' });
      }
    });
  });

  describe('category', () => {
    test('is made below its parent, renamed, moved and deleted when it is empty', async () => {
      const [top, low, other] = [name('top'), name('low'), name('other')];
      const outcomes = await bench.apply('category', {
        [low]: category('7. årgang & co', { parent: top }),
        [top]: category(name('Øverst')),
        [other]: category(name('Anden')),
      });
      expect(Object.values(outcomes).map((one) => one.state)).toEqual(Array(3).fill('applied'));
      const seen = await bench.observed('category');
      expect(seen.get(low)?.body).toMatchObject({ name: '7. årgang & co', parent: name('Øverst') });
      await bench.apply('category', { [low]: category('8. årgang', { parent: other }) });
      expect((await bench.observed('category')).get(low)?.body).toMatchObject({
        name: '8. årgang',
        parent: name('Anden'),
      });
      expect(await bench.apply('category', { [other]: null })).toMatchObject({
        [other]: { state: 'retry', code: 'category-not-empty' },
      });
      for (const key of [low, other, top]) {
        expect(await bench.apply('category', { [key]: null })).toMatchObject({ [key]: applied });
      }
      const left = await bench.observed('category');
      expect([top, low, other].filter((key) => left.has(key))).toEqual([]);
    });

    test('with a course of somebody else in it is never deleted', async () => {
      const key = name('shared');
      await bench.apply('category', { [key]: category('Delt') });
      await bench.call('core_course_create_courses', {
        'courses[0][fullname]': 'Lærerens eget',
        'courses[0][shortname]': name('own'),
        'courses[0][categoryid]': bench.externalId('category', key),
      });
      const outcomes = await bench.apply('category', { [key]: null });
      expect(outcomes[key]).toMatchObject({ state: 'rejected', code: 'category-not-empty' });
    });
  });

  describe('cohort', () => {
    test('gets and loses its members, keeps those of others, is renamed, hidden and deleted', async () => {
      const key = name('7a');
      const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((one) => name(`member-${one}`)) as [
        string,
        string,
        string,
        string,
      ];
      await bench.apply('account', { [a]: account(a), [b]: account(b), [c]: account(c) });
      await bench.apply('account', { [d]: account(d) });
      const school = name('school');
      const first = cohort({
        name: '7.A & 7.B',
        category: school,
        members: [a, b, name('absent')],
      });
      expect(await bench.apply('cohort', { [key]: first })).toMatchObject({
        [key]: { state: 'applied', incomplete: [name('absent')] },
      });
      await bench.call('core_cohort_add_cohort_members', {
        'members[0][cohorttype][type]': 'id',
        'members[0][cohorttype][value]': bench.externalId('cohort', key),
        'members[0][usertype][type]': 'username',
        'members[0][usertype][value]': d,
      });
      const second = cohort({ name: '8.A', category: school, members: [b, c] }, { active: false });
      expect(await bench.apply('cohort', { [key]: second })).toEqual({
        [key]: { state: 'applied', externalId: bench.externalId('cohort', key) },
      });
      expect((await bench.observed('cohort')).get(key)?.body).toEqual({
        name: '8.A',
        idnumber: `skolebus:${key}`,
        active: false,
        members: [b, c, d].sort(),
      });
      expect(await bench.apply('cohort', { [key]: null })).toMatchObject({ [key]: applied });
      expect((await bench.observed('cohort')).has(key)).toBe(false);
    });

    test('takes back what a write gave whose answer was lost, when it is wanted no more', async () => {
      const key = name('lost-7a');
      const [a, b] = [name('lost-a'), name('lost-b')];
      await bench.apply('account', { [a]: account(a), [b]: account(b) });
      const body = { name: 'Tabt', category: name('school') };
      const shape = { shortname: key, category: name('school') };
      const ofA = { [a]: ['student'] } as const;
      await bench.apply('cohort', { [key]: cohort({ ...body, members: [a] }) });
      await bench.apply('course', { [key]: course({ ...shape, enrolments: ofA }) });
      bench.doubt('cohort', key);
      bench.doubt('course', key);
      await bench.apply('cohort', { [key]: cohort({ ...body, members: [b] }) });
      const next = course({ ...shape, enrolments: { [b]: ['student'] } });
      await bench.apply('course', { [key]: next });
      expect((await bench.observed('cohort')).get(key)?.body['members']).toEqual([b]);
      expect((await bench.observed('course')).get(key)?.body['enrolments']).toEqual([
        { username: b, roles: ['student'] },
      ]);
    });

    test('waits for its category', async () => {
      const body = cohort({ name: 'x', category: name('no-such-category'), members: [] });
      expect(await bench.apply('cohort', { [name('lonely')]: body })).toMatchObject({
        [name('lonely')]: { state: 'retry', code: 'category-missing' },
      });
    });
  });

  describe('course', () => {
    test('is made, changed, hidden and deleted', async () => {
      const key = name('dansk-7a');
      const body = course(
        { shortname: name('d&h'), category: name('school'), enrolments: {} },
        { fullname: 'Dansk & historie "7.A" 5 < 7' },
      );
      expect(await bench.apply('course', { [key]: body })).toMatchObject({ [key]: applied });
      expect((await bench.observed('course')).get(key)?.body).toEqual({
        shortname: name('d&h'),
        fullname: 'Dansk & historie "7.A" 5 < 7',
        idnumber: `skolebus:${key}`,
        category: name('Skole'),
        active: true,
        startDate: '2026-08-01',
        endDate: '2027-07-31',
        enrolments: [],
      });
      const next = { ...body, fullname: 'Dansk 8.A', endDate: '2028-06-30', active: false };
      expect(await bench.apply('course', { [key]: next })).toMatchObject({ [key]: applied });
      expect((await bench.observed('course')).get(key)?.body).toMatchObject({
        fullname: 'Dansk 8.A',
        startDate: '2026-08-01',
        endDate: '2028-06-30',
        active: false,
      });
      expect(await bench.apply('course', { [key]: null })).toMatchObject({ [key]: applied });
      expect(await bench.apply('course', { [key]: null })).toMatchObject({ [key]: applied });
      expect((await bench.observed('course')).has(key)).toBe(false);
    });

    test('whose short name is taken is rejected, its neighbours are not', async () => {
      await bench.call('core_course_create_courses', {
        'courses[0][fullname]': 'Fremmed',
        'courses[0][shortname]': name('taken'),
        'courses[0][categoryid]': bench.externalId('category', name('school')),
      });
      const school = name('school');
      const outcomes = await bench.apply('course', {
        [name('c1')]: course({ shortname: name('free1'), category: school, enrolments: {} }),
        [name('c2')]: course({ shortname: name('TAKEN'), category: school, enrolments: {} }),
        [name('c3')]: course({ shortname: name('free3'), category: school, enrolments: {} }),
      });
      expect(outcomes).toMatchObject({
        [name('c1')]: applied,
        [name('c2')]: { state: 'rejected', code: 'shortname-taken' },
        [name('c3')]: applied,
      });
    });

    test('follows its people from day to day, and leaves those of others alone', async () => {
      const key = name('mat-7a');
      const [teacher, both, pupil, late, foreign] = ['t', 'b', 'p', 'l', 'f'].map((one) =>
        name(`enrol-${one}`),
      ) as [string, string, string, string, string];
      for (const one of [teacher, both, pupil, foreign]) {
        await bench.apply('account', { [one]: account(one) });
      }
      const shape = { shortname: name('mat-7a'), category: name('school') };
      const first = course({
        ...shape,
        enrolments: {
          [teacher]: ['editingteacher'],
          [both]: ['student', 'teacher'],
          [pupil]: ['student'],
          [late]: ['student'],
        },
      });
      expect(await bench.apply('course', { [key]: first })).toMatchObject({
        [key]: { state: 'applied', incomplete: [late] },
      });
      const enrol = (person: string, roleid: number) =>
        bench.call('enrol_manual_enrol_users', {
          'enrolments[0][roleid]': roleid,
          'enrolments[0][userid]': bench.externalId('account', person),
          'enrolments[0][courseid]': bench.externalId('course', key),
        });
      await enrol(foreign, 5);
      // A role somebody gave by hand outlives the loss of one of ours.
      await enrol(both, 1);
      await bench.apply('account', { [late]: account(late) });
      const second = course({
        ...shape,
        enrolments: {
          [teacher]: ['teacher'],
          [both]: ['student'],
          [late]: ['student'],
        },
      });
      expect(await bench.apply('course', { [key]: second })).toEqual({
        [key]: { state: 'applied', externalId: bench.externalId('course', key) },
      });
      const seen = (await bench.observed('course')).get(key);
      expect(seen?.body['enrolments']).toEqual(
        [
          { username: teacher, roles: ['teacher'] },
          { username: both, roles: ['manager', 'student'] },
          { username: late, roles: ['student'] },
          { username: foreign, roles: ['student'] },
        ].sort((x, y) => (x.username < y.username ? -1 : 1)),
      );
    });
  });

  test('what stands as it should is not written again', async () => {
    const prefix = 'still';
    const accounts = people(prefix, 12);
    accounts[name('still0')] = account(name('still0'), { active: false });
    const members = Object.keys(accounts).sort();
    const enrolments = Object.fromEntries(members.map((key) => [key, ['student']] as const));
    const school = name('school');
    const still = {
      category: { [name('still-c')]: category('Rolig & co', { parent: school }) },
      account: accounts,
      cohort: { [name('still-k')]: cohort({ name: 'Rolig', category: school, members }) },
      course: {
        [name('still-r')]: course({ shortname: name('r&o'), category: school, enrolments }),
      },
    } as const;
    const all = async () => {
      for (const kind of ['category', 'account', 'cohort', 'course'] as const) {
        const outcomes = Object.values(await bench.apply(kind, still[kind]));
        expect(outcomes.every((outcome) => outcome.state === 'applied')).toBe(true);
      }
    };
    await all();
    expect(countWrites(bench.proxy)).toBeGreaterThan(0);
    bench.proxy.calls.length = 0;
    await all();
    // Also when the ledger lost what was applied: our marks are found again.
    for (const kind of ['category', 'account', 'cohort', 'course'] as const) {
      for (const key of Object.keys(still[kind])) bench.forget(kind, key);
      const outcomes = Object.values(await bench.apply(kind, still[kind]));
      expect(outcomes.every((outcome) => outcome.state === 'applied')).toBe(true);
    }
    expect(countWrites(bench.proxy)).toBe(0);
  });

  describe('when answers are lost', () => {
    const breakOnce = (function_: string, at: 'before' | 'after') => {
      let broken = 0;
      bench.proxy.fault = (called) => (called === function_ && broken++ === 0 ? at : null);
      return () => {
        bench.proxy.fault = () => null;
        expect(broken).toBeGreaterThan(0);
      };
    };

    test.each(['before', 'after'] as const)(
      '%s the call was done: nothing is doubled',
      async (at) => {
        const school = name('school');
        const cases = {
          category: ['core_course_create_categories', category('Tabt', { parent: school })],
          account: ['core_user_create_users', account(name(`lost-${at}`))],
          cohort: [
            'core_cohort_create_cohorts',
            cohort({ name: 'Tabt', category: school, members: [] }),
          ],
          course: [
            'core_course_create_courses',
            course({ shortname: name(`lost-${at}`), category: school, enrolments: {} }),
          ],
        } as const;
        for (const kind of ['category', 'account', 'cohort', 'course'] as const) {
          const [function_, body] = cases[kind];
          const key = name(`lost-${at}`);
          const restore = breakOnce(function_, at);
          const outcomes = await bench.apply(kind, { [key]: body });
          restore();
          expect(outcomes, kind).toMatchObject({ [key]: applied });
          const all = [];
          for await (const one of bench.connector.observe({ kind })) all.push(one);
          expect(all.filter((one) => one.key === key)).toHaveLength(1);
        }
      },
    );

    test('of members and enrolments: they are right in the end', async () => {
      const accounts = people('lostly', 4);
      await bench.apply('account', accounts);
      const keys = Object.keys(accounts);
      const [one = '', two = ''] = keys;
      const school = name('school');
      const before = {
        cohort: cohort({ name: 'Tabte', category: school, members: [one, two] }),
        course: course({
          shortname: name('lostly'),
          category: school,
          enrolments: { [one]: ['student', 'teacher'], [two]: ['student'] },
        }),
      };
      const after = {
        cohort: cohort({ name: 'Tabte', category: school, members: keys.slice(1) }),
        course: course({
          shortname: name('lostly'),
          category: school,
          enrolments: Object.fromEntries(keys.map((key) => [key, ['student'] as const])),
        }),
      };
      const key = name('lostly');
      const breaks = [
        ['cohort', before.cohort, 'core_cohort_add_cohort_members'],
        ['cohort', after.cohort, 'core_cohort_delete_cohort_members'],
        ['course', before.course, 'enrol_manual_enrol_users'],
        ['course', after.course, 'core_role_unassign_roles'],
      ] as const;
      for (const [kind, body, function_] of breaks) {
        const restore = breakOnce(function_, 'after');
        expect(await bench.apply(kind, { [key]: body })).toMatchObject({ [key]: applied });
        restore();
      }
      expect((await bench.observed('cohort')).get(key)?.body['members']).toEqual(keys.slice(1));
      expect((await bench.observed('course')).get(key)?.body['enrolments']).toEqual(
        keys.map((username) => ({ username, roles: ['student'] })),
      );
    });
  });
}
