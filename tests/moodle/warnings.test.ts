import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import type { Body, ResourceKind } from '../../provisioning/policy/resource.ts';
import { connectMoodle } from '../../provisioning/target/moodle/connector.ts';
import {
  type MoodleFunction,
  moodleFunctions,
} from '../../provisioning/target/moodle/functions.ts';
import { openMoodle } from '../../provisioning/target/moodle/http.ts';
import { account, cohort, course } from './bench.ts';

const names = Object.keys(moodleFunctions) as MoodleFunction[];

/** A Moodle that says what it is told to. */
async function startSayer(say: (called: string, form: URLSearchParams) => unknown) {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(say(form.get('wsfunction') ?? '', form)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const warning = { item: 'x', itemid: 7, warningcode: 'somethingwrong', message: 'Navn Navnesen' };

test('the list holds exactly the functions that the connector names', () => {
  const folder = fileURLToPath(new URL('../../provisioning/target/moodle/', import.meta.url));
  const named = new Set<string>();
  for (const file of readdirSync(folder).filter((one) => one !== 'functions.ts')) {
    const text = readFileSync(`${folder}${file}`, 'utf8');
    for (const [, name = ''] of text.matchAll(/'((?:core|enrol)_[a-z]+_[a-z_]+)'/g))
      named.add(name);
  }
  expect([...named].sort()).toEqual([...names].sort());
});

describe('a warning is never overlooked', () => {
  const unexpected = names.filter((name) => moodleFunctions[name] === 'unexpected');

  test.each(unexpected)('%s: the answer is not trusted', async (name) => {
    await using sayer = await startSayer(() => ({ warnings: [warning] }));
    await using moodle = openMoodle({ url: sayer.url, token: 'x', timeoutMs: 5000 });
    const call = { function: name, params: {}, answer: z.unknown() };
    await expect(moodle.read(call)).rejects.toMatchObject({
      code: 'unreachable',
      reason: 'unexpected-warning',
    });
    await expect(moodle.write(call)).rejects.not.toMatchObject({
      message: expect.stringContaining('Navnesen'),
    });
  });

  const courseRow = {
    ...{ id: 7, shortname: 'gammel', fullname: 'Gammel', categoryid: 3, visible: 1 },
    ...{ idnumber: 'skolebus:r', startdate: 0, enddate: 0 },
  };
  const answers: Readonly<Record<string, unknown>> = {
    core_user_get_users_by_field: [{ id: 7, username: 'elev', idnumber: 'skolebus:a' }],
    core_user_update_users: { warnings: [warning] },
    core_course_get_courses: [courseRow],
    core_course_get_categories: [{ id: 3, name: 'Skole', parent: 0 }],
    core_course_update_courses: { warnings: [warning] },
    core_course_delete_courses: { warnings: [warning] },
    core_cohort_get_cohorts: [{ id: 7, name: 'K', idnumber: 'skolebus:k', visible: true }],
    core_cohort_get_cohort_members: [{ cohortid: 7, userids: [] }],
    core_cohort_add_cohort_members: { warnings: [{ ...warning, warningcode: '2' }] },
  };

  async function applyOne(kind: ResourceKind, key: string, desired: Body | null) {
    await using sayer = await startSayer((called) => answers[called] ?? []);
    await using connector = connectMoodle({ name: 'moodle', url: sayer.url, token: 'x' });
    const row = { kind, key, desired, applied: desired, externalId: '7', attempts: 0 };
    const outcomes = await connector.apply({
      batch: [row],
      externalIds: async (p) => new Map(p.keys.map((one) => [one, '3'])),
    });
    return outcomes[0];
  }

  const rejected = { state: 'rejected', code: 'moodle-somethingwrong' };

  test('core_user_update_users: it is the outcome of its row', async () => {
    expect(await applyOne('account', 'a', account('elev'))).toMatchObject(rejected);
  });

  test('core_course_update_courses: it is the outcome of its row', async () => {
    const body = course({ shortname: 'ny', category: 'skole', enrolments: {} });
    expect(await applyOne('course', 'r', body)).toMatchObject(rejected);
  });

  test('core_course_delete_courses: it is the outcome of its row', async () => {
    expect(await applyOne('course', 'r', null)).toMatchObject(rejected);
  });

  test('core_cohort_add_cohort_members: who is not there then is named', async () => {
    const body = cohort({ name: 'K', category: 'skole', members: ['elev'] });
    expect(await applyOne('cohort', 'k', body)).toMatchObject({
      state: 'applied',
      incomplete: ['elev'],
    });
  });

  test('these are all that are not "unexpected"', () => {
    expect(names.filter((name) => moodleFunctions[name] !== 'unexpected')).toEqual([
      'core_user_update_users',
      'core_cohort_add_cohort_members',
      'core_course_update_courses',
      'core_course_delete_courses',
    ]);
  });
});
