import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectMoodle } from '../../provisioning/target/moodle/connector.ts';
import { account, type Bench, category, course, openBench, type RunningMoodle } from './bench.ts';
import { countWrites } from './proxy.ts';

/**
 * Profile fields, templates, groups in courses, roles in categories. The Moodle must have the text
 * profile fields `unilogin` and `klassetrin`, which no web service makes.
 */
export function moodleDepthContract(p: { readonly start: () => Promise<RunningMoodle> }): void {
  let moodle: RunningMoodle;
  let bench: Bench;
  let name: (text: string) => string;
  let school: string;
  beforeAll(async () => {
    moodle = await p.start();
    bench = await openBench(moodle);
    name = (text) => `${text}-${bench.run}`;
    school = name('school');
    await bench.apply('category', { [school]: category(school) });
  });
  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
    await moodle[Symbol.asyncDispose]();
  });

  const applied = { state: 'applied' };

  async function makePeople(...texts: readonly string[]): Promise<readonly string[]> {
    const keys = texts.map(name);
    await bench.apply('account', Object.fromEntries(keys.map((key) => [key, account(key)])));
    return keys;
  }

  async function findByShortname(shortname: string): Promise<readonly Record<string, unknown>[]> {
    const fields = { field: 'shortname', value: shortname };
    const answer = await bench.call('core_course_get_courses_by_field', fields);
    return (answer as { courses: Record<string, unknown>[] }).courses;
  }

  async function modulesOf(courseId: string): Promise<readonly string[]> {
    const sections = await bench.call('core_course_get_contents', { courseid: courseId });
    return (sections as { modules: { name: string }[] }[]).flatMap((one) =>
      one.modules.map((module) => module.name),
    );
  }

  async function usersOf(key: string): Promise<Record<string, unknown>> {
    const id = bench.externalId('account', key);
    const fields = { field: 'id', 'values[0]': id };
    const found = await bench.call('core_user_get_users_by_field', fields);
    return (found as Record<string, unknown>[])[0] ?? {};
  }

  test('profile fields are filled in, changed and emptied, those of others stay', async () => {
    const key = name('profile');
    const filled = { unilogin: 'åse1234', klassetrin: '7' };
    expect(
      await bench.apply('account', { [key]: account(key, { profileFields: filled }) }),
    ).toEqual({
      [key]: { state: 'applied', externalId: bench.externalId('account', key) },
    });
    const shown = async () =>
      ((await usersOf(key))['customfields'] as { shortname: string; value: string }[]).map(
        ({ shortname, value }) => `${shortname}=${value}`,
      );
    expect((await shown()).sort()).toEqual(['klassetrin=7', 'unilogin=åse1234']);
    await bench.apply('account', { [key]: account(key, { profileFields: { klassetrin: '8' } }) });
    expect(await shown()).toEqual(['klassetrin=8']);
    bench.proxy.calls.length = 0;
    await bench.apply('account', { [key]: account(key, { profileFields: { klassetrin: '8' } }) });
    expect(countWrites(bench.proxy)).toBe(0);
  });

  test('check names the profile fields that nobody made', async () => {
    const { url, token } = moodle;
    const profileFields = ['unilogin', 'findesikke', 'klassetrin'];
    await using connector = connectMoodle({ name: 'moodle', url, token, profileFields });
    const one = (await connector.check()).find((result) => result.name === 'profile-fields');
    expect(one?.ok).toBe(false);
    expect(one?.message).toMatch(/: findesikke\.$/);
  });

  test('a course is copied from a template, without its people and only once', async () => {
    const [teacher = '', pupil = ''] = await makePeople('tpl-t', 'tpl-p');
    const template = name('template');
    const made = (await bench.call('core_course_create_courses', {
      'courses[0][fullname]': 'Skabelon',
      'courses[0][shortname]': template,
      'courses[0][categoryid]': bench.externalId('category', school),
      'courses[0][numsections]': 3,
    })) as { id: number }[];
    await bench.call('enrol_manual_enrol_users', {
      'enrolments[0][roleid]': 3,
      'enrolments[0][userid]': bench.externalId('account', teacher),
      'enrolments[0][courseid]': made[0]?.id ?? 0,
    });
    const key = name('copied');
    const body = course(
      { shortname: key, category: school, enrolments: { [pupil]: ['student'] } },
      { template, fullname: 'Dansk & historie 7.A' },
    );
    // The answer is lost after Moodle did it: the copy is found again by the mark in its short name.
    let copies = 0;
    bench.proxy.fault = (called) =>
      called === 'core_course_duplicate_course' && copies++ === 0 ? 'after' : null;
    expect(await bench.apply('course', { [key]: body })).toMatchObject({
      [key]: { state: 'retry', code: 'copy-unfinished' },
    });
    bench.proxy.fault = () => null;
    // Moodle may still be at it for a moment.
    await expect
      .poll(async () => (await findByShortname(`skolebus:${key}`)).length, { timeout: 20_000 })
      .toBe(1);
    expect(await bench.apply('course', { [key]: body })).toMatchObject({ [key]: applied });
    expect(copies).toBe(1);
    expect(await findByShortname(`skolebus:${key}`)).toEqual([]);
    const found = await findByShortname(key);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ idnumber: `skolebus:${key}`, visible: 1 });
    expect(await modulesOf(bench.externalId('course', key))).toEqual(['Announcements']);
    expect((await bench.observed('course')).get(key)?.body).toMatchObject({
      fullname: 'Dansk & historie 7.A',
      startDate: body.startDate,
      endDate: body.endDate,
      enrolments: [{ username: pupil, roles: ['student'] }],
    });
  });

  test('a course whose template is not there waits, its neighbours do not', async () => {
    const shape = { category: school, enrolments: {} };
    const outcomes = await bench.apply('course', {
      [name('no-tpl')]: course({ shortname: name('no-tpl'), ...shape }, { template: name('none') }),
      [name('plain')]: course({ shortname: name('plain'), ...shape }),
    });
    expect(outcomes).toMatchObject({
      [name('no-tpl')]: { state: 'retry', code: 'template-missing' },
      [name('plain')]: applied,
    });
  });

  test('groups in a course follow their classes, and those of teachers are left alone', async () => {
    const [a = '', b = '', c = '', d = ''] = await makePeople('grp-a', 'grp-b', 'grp-c', 'grp-d');
    const key = name('grouped');
    const enrolments = { [a]: ['student'], [b]: ['student'], [c]: ['student', 'teacher'] } as const;
    const shape = { shortname: key, category: school, enrolments };
    const first = course(shape, { groups: { '7.A & 7.B': [a, b], '7.C': [c] } });
    expect(await bench.apply('course', { [key]: first })).toMatchObject({ [key]: applied });
    const observed = async () => (await bench.observed('course')).get(key)?.body;
    expect((await observed())?.['groups']).toEqual({ '7.A & 7.B': [a, b], '7.C': [c] });
    bench.proxy.calls.length = 0;
    await bench.apply('course', { [key]: first });
    expect(countWrites(bench.proxy)).toBe(0);
    const own = (await bench.call('core_group_create_groups', {
      'groups[0][courseid]': bench.externalId('course', key),
      'groups[0][name]': 'Lærerens egen',
      'groups[0][description]': '',
    })) as { id: number }[];
    await bench.call('core_group_add_group_members', {
      'members[0][groupid]': own[0]?.id ?? 0,
      'members[0][userid]': bench.externalId('account', c),
    });
    // Somebody changes class, a class goes, one loses a role (and keeps its groups), one is to come.
    const second = course(
      { ...shape, enrolments: { [a]: ['student'], [b]: ['student'], [c]: ['student'] } },
      { groups: { '7.A & 7.B': [a, c, name('absent')], '8.D': [b] } },
    );
    expect(await bench.apply('course', { [key]: second })).toMatchObject({
      [key]: { state: 'applied', incomplete: [name('absent')] },
    });
    const body = await observed();
    expect(body?.['groups']).toEqual({ '7.A & 7.B': [a, c].sort(), '8.D': [b] });
    expect(body?.['enrolments']).toContainEqual({ username: c, roles: ['student'] });
    const kept = await bench.call('core_group_get_group_members', {
      'groupids[0]': own[0]?.id ?? 0,
    });
    expect(kept).toMatchObject([{ userids: [Number(bench.externalId('account', c))] }]);
    const taken = course(
      { ...shape, enrolments: { [d]: ['student'] } },
      { groups: { 'LÆRERENS egen': [d] } },
    );
    expect(await bench.apply('course', { [key]: taken })).toMatchObject({
      [key]: { state: 'rejected', code: 'group-name-taken' },
    });
  });

  test('leaders get a role in their category and lose it again', async () => {
    const [a = '', b = ''] = await makePeople('lead-a', 'lead-b');
    const key = name('led');
    const absent = name('nobody');
    const first = category(key, { roles: { [a]: ['manager'], [absent]: ['manager'] } });
    expect(await bench.apply('category', { [key]: first })).toMatchObject({
      [key]: { state: 'applied', incomplete: [absent] },
    });
    const writesOf = (calls: readonly string[]) => calls.filter((one) => one.includes('_role_'));
    bench.proxy.calls.length = 0;
    await bench.apply('category', { [key]: category(key, { roles: { [b]: ['manager'] } }) });
    expect(writesOf(bench.proxy.calls)).toEqual([
      'core_role_unassign_roles',
      'core_role_assign_roles',
    ]);
    const wrong = category(key, { roles: { [b]: ['student'] } });
    expect(await bench.apply('category', { [key]: wrong })).toMatchObject({
      [key]: { state: 'rejected', code: 'role-not-assignable' },
    });
    bench.proxy.calls.length = 0;
    expect(await bench.apply('category', { [key]: category(key) })).toMatchObject({
      [key]: applied,
    });
    expect(writesOf(bench.proxy.calls)).toEqual(['core_role_unassign_roles']);
  });
}
