import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDocuments } from '../../services/sandbox/documents.ts';
import type { MoodleDeed } from '../../services/sandbox/moodle/administration.ts';
import type { MoodleFaults } from '../../services/sandbox/moodle/faults.ts';
import { startMoodleStandIn } from '../../services/sandbox/moodle/stand-in.ts';
import { account, type Bench, category, cohort, course, openBench } from './bench.ts';
import { countWrites } from './proxy.ts';

const tokens = { school: 'school-token', infoonly: 'infoonly-token', limited: 'limited-token' };

interface Site extends Bench {
  administer(deed: MoodleDeed): Promise<number>;
}

async function openSite(
  p: {
    readonly token?: string;
    readonly file?: string;
    readonly maxInputVars?: number;
    readonly faults?: MoodleFaults;
  } = {},
): Promise<Site> {
  const { token = tokens.school, file = null, maxInputVars = 20_000, faults = () => null } = p;
  const documents = openDocuments({ file });
  const standIn = await startMoodleStandIn({ port: 0, documents, tokens, maxInputVars, faults });
  const { url } = standIn;
  const bench = await openBench({
    url,
    token,
    async [Symbol.asyncDispose]() {},
  });
  return {
    ...bench,
    async administer(deed) {
      const body = JSON.stringify(deed);
      return (await fetch(`${url}/__sandbox/administration`, { method: 'POST', body })).status;
    },
    async [Symbol.asyncDispose]() {
      await bench[Symbol.asyncDispose]();
      await standIn[Symbol.asyncDispose]();
      documents[Symbol.dispose]();
    },
  };
}

describe('a Moodle that cannot be used', () => {
  const one = { elev1: account('elev1') };

  test('in maintenance is come back to when it says so', async () => {
    await using site = await openSite();
    await site.administer({ do: 'set', cliMaintenance: true });
    expect(await site.apply('account', one)).toMatchObject({
      elev1: { state: 'retry', code: 'maintenance', afterMs: 300_000 },
    });
    await site.administer({ do: 'set', cliMaintenance: false });
    expect(await site.apply('account', one)).toMatchObject({ elev1: { state: 'applied' } });
  });

  test('with web services off concludes nothing', async () => {
    await using site = await openSite();
    await site.administer({ do: 'set', webServices: false });
    expect(await site.apply('account', one)).toMatchObject({
      elev1: { state: 'unknown-host', code: 'web-services-off' },
    });
    const [reachable, ...others] = await site.connector.check();
    expect(reachable).toMatchObject({ name: 'reachable', ok: false });
    expect(others).toEqual([]);
  });

  test('with a wrong token concludes nothing', async () => {
    await using site = await openSite({ token: 'nobody-has-this-token' });
    expect(await site.apply('account', one)).toMatchObject({
      elev1: { state: 'unknown-host', code: 'invalid-token' },
    });
  });

  test('with a token of a narrow service names the functions that lack', async () => {
    await using site = await openSite({ token: tokens.infoonly });
    const results = await site.connector.check();
    const functions = results.find((result) => result.name === 'functions');
    expect(functions?.ok).toBe(false);
    expect(functions?.message).toContain('core_user_create_users');
    expect(functions?.message).not.toContain('core_webservice_get_site_info');
    expect(await site.apply('account', one)).toMatchObject({
      elev1: { state: 'unknown-host', code: 'function-not-allowed' },
    });
  });

  test('with a token without rights is a trouble of the target, not of the rows', async () => {
    await using site = await openSite({ token: tokens.limited });
    const results = await site.connector.check();
    const failed = results.filter((result) => !result.ok).map((result) => result.name);
    expect(failed).toEqual(['read-rights', 'max-input-vars', 'write-probe']);
    const many = { elev1: account('elev1'), elev2: account('elev2') };
    const lacking = { state: 'unknown-host', code: 'no-permission' };
    expect(await site.apply('account', many)).toMatchObject({ elev1: lacking, elev2: lacking });
  });

  test('that cannot send its welcome mail has enrolled everybody all the same', async () => {
    await using site = await openSite();
    await site.administer({ do: 'set', mailBroken: true });
    await site.apply('category', { skole: category('Skole') });
    await site.apply('account', { elev1: account('elev1'), elev2: account('elev2') });
    const enrolments = { elev1: ['editingteacher'], elev2: ['student', 'teacher'] } as const;
    const body = course({ shortname: 'dansk', category: 'skole', enrolments });
    expect(await site.apply('course', { dansk: body })).toMatchObject({
      dansk: { state: 'applied' },
    });
    expect((await site.observed('course')).get('dansk')?.body['enrolments']).toEqual([
      { username: 'elev1', roles: ['editingteacher'] },
      { username: 'elev2', roles: ['student', 'teacher'] },
    ]);
  });

  test('that is not there concludes nothing', async () => {
    await using site = await openSite();
    const gone = await openSite();
    await gone[Symbol.asyncDispose]();
    const work = site.row('account', 'elev1', account('elev1'));
    const externalIds = async () => new Map<string, string>();
    expect(await gone.connector.apply({ batch: [work], externalIds }).catch(String)).toBeDefined();
    site.proxy.fault = () => 'before';
    expect(await site.apply('account', one)).toMatchObject({
      elev1: { state: 'unknown-host', code: 'no-answer' },
    });
  });

  test('that loses an answer to a question is asked again', async () => {
    let lost = 0;
    await using site = await openSite();
    site.proxy.fault = (called) => (called.includes('_get_') && lost++ < 2 ? 'after' : null);
    expect(await site.apply('account', one)).toMatchObject({ elev1: { state: 'applied' } });
    expect(lost).toBeGreaterThan(2);
  });

  test('that answers 500 after every write is asked again once, then later', async () => {
    let writes = 0;
    await using site = await openSite({
      faults: (call) => {
        if (call.function !== 'core_user_create_users') return null;
        writes += 1;
        return { at: 'before', effect: 'status', status: 502, retryAfter: null };
      },
    });
    expect(await site.apply('account', one)).toMatchObject({
      elev1: { state: 'retry', code: 'server-error' },
    });
    expect(writes).toBe(2);
  });
});

describe('PHP that reads few form fields', () => {
  test('drops the rest without a word, and check says so', async () => {
    await using site = await openSite({ maxInputVars: 500 });
    const results = await site.connector.check();
    const limit = results.find((result) => result.name === 'max-input-vars');
    expect(limit).toMatchObject({ ok: false });
    expect(limit?.message).toContain('max_input_vars');
  });

  test('of default settings is enough for every batch', async () => {
    await using site = await openSite({ maxInputVars: 1000 });
    const accounts = Object.fromEntries(
      Array.from({ length: 350 }, (_, index) => [`e${index}`, account(`e${index}`)]),
    );
    await site.apply('account', accounts);
    await site.apply('category', { skole: category('Skole') });
    const members = Object.keys(accounts).sort();
    const enrolments = Object.fromEntries(
      members.map((key) => [key, ['editingteacher', 'manager', 'student', 'teacher'] as const]),
    );
    await site.apply('cohort', { k: cohort({ name: 'K', category: 'skole', members }) });
    await site.apply('course', { r: course({ shortname: 'R', category: 'skole', enrolments }) });
    expect((await site.observed('cohort')).get('k')?.body['members']).toEqual(members);
    const seen = (await site.observed('course')).get('r')?.body['enrolments'];
    expect(seen).toEqual(
      members.map((username) => ({
        username,
        roles: ['editingteacher', 'manager', 'student', 'teacher'],
      })),
    );
  });
});

test('a sign-in plugin can be installed, and then accounts take it', async () => {
  await using site = await openSite();
  const one = { elev1: account('elev1', { auth: 'oidc' }) };
  expect(await site.apply('account', one)).toMatchObject({
    elev1: { state: 'rejected', code: 'auth-plugin-missing' },
  });
  expect(await site.administer({ do: 'install-auth', name: 'oidc' })).toBe(204);
  expect(await site.apply('account', one)).toMatchObject({ elev1: { state: 'applied' } });
});

test('what was answered is there after a restart, indexes included', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skolebus-moodle-'));
  const file = join(folder, 'moodle.sqlite');
  try {
    {
      await using site = await openSite({ file });
      await site.apply('category', { skole: category('Skole') });
      await site.apply('account', { elev1: account('elev1'), elev2: account('elev2') });
      await site.apply('account', { bad: account('bad', { email: 'ikke-en-adresse' }) });
      await site.apply('course', {
        dansk: course({
          shortname: 'dansk',
          category: 'skole',
          enrolments: { elev1: ['student'] },
        }),
      });
    }
    await using site = await openSite({ file });
    const found = await site.call('core_user_get_users_by_field', {
      field: 'username',
      'values[0]': 'elev2',
      'values[1]': 'bad',
    });
    expect(found).toMatchObject([{ username: 'elev2', idnumber: 'skolebus:elev2' }]);
    expect((await site.observed('course')).get('dansk')?.body['enrolments']).toEqual([
      { username: 'elev1', roles: ['student'] },
    ]);
    const outcomes = await site.apply('account', { elev3: account('elev3') });
    const made = await site.observed('account');
    expect(outcomes).toMatchObject({ elev3: { state: 'applied' } });
    expect(new Set([...made.values()].map((one) => one.externalId)).size).toBe(made.size);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('1,000 accounts and 50 courses of 30 stand within seconds, and stay as they are', async () => {
  await using site = await openSite();
  const started = performance.now();
  await site.apply('category', { skole: category('Skole') });
  const keys = Array.from({ length: 1000 }, (_, index) => `elev${index}`);
  for (let at = 0; at < keys.length; at += 200) {
    const part = keys.slice(at, at + 200).map((key) => [key, account(key)] as const);
    const outcomes = await site.apply('account', Object.fromEntries(part));
    expect(Object.values(outcomes).every((one) => one.state === 'applied')).toBe(true);
  }
  const courses = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => {
      const people = Array.from({ length: 30 }, (_, i) => `elev${(index * 20 + i) % 1000}`);
      const enrolments = Object.fromEntries(
        people.sort().map((key) => [key, ['student'] as const]),
      );
      return [`k${index}`, course({ shortname: `kursus-${index}`, category: 'skole', enrolments })];
    }),
  );
  await site.apply('course', courses);
  const seconds = (performance.now() - started) / 1000;
  const seen = await site.observed('course');
  for (const [key, body] of Object.entries(courses)) {
    const people = seen.get(key)?.body['enrolments'] as readonly { readonly username: string }[];
    expect(people.map((one) => one.username)).toEqual(Object.keys(body.enrolments));
  }
  expect(countWrites(site.proxy)).toBeLessThan(40);
  site.proxy.calls.length = 0;
  await site.apply('course', courses);
  expect(countWrites(site.proxy)).toBe(0);
  expect(seconds).toBeLessThan(20);
});
