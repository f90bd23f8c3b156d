import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { CheckResult } from '../contract.ts';
import { moodleFunctions } from './functions.ts';
import { type Moodle, MoodleError } from './http.ts';
import { userList } from './lookup.ts';

const neededFunctions = Object.keys(moodleFunctions);

const siteInfo = z.object({
  release: z.string(),
  userid: z.number(),
  functions: z.array(z.object({ name: z.string() })),
});

type SiteInfo = z.infer<typeof siteInfo>;

/** One result per check; when the site cannot be reached at all, `reachable` is the only one. */
export async function checkSite(p: {
  readonly moodle: Moodle;
  /** Short names of the profile fields that policy fills in. */
  readonly profileFields: readonly string[];
}): Promise<readonly CheckResult[]> {
  let info: SiteInfo;
  try {
    info = await p.moodle.read({
      function: 'core_webservice_get_site_info',
      params: {},
      answer: siteInfo,
    });
  } catch (error) {
    if (!(error instanceof MoodleError)) throw error;
    return [{ name: 'reachable', ok: false, message: remedyOf(error) }];
  }
  const offered = new Set(info.functions.map((one) => one.name));
  const missing = neededFunctions.filter((name) => !offered.has(name));
  const results: CheckResult[] = [
    { name: 'reachable', ok: true, message: `Moodle ${info.release} answers.` },
    checkVersion(info.release),
    {
      name: 'functions',
      ok: missing.length === 0,
      message:
        missing.length === 0
          ? 'The token may call all functions needed.'
          : `Add these functions to the token's service: ${missing.join(', ')}.`,
    },
  ];
  // Without the functions the rest would only say the same again.
  if (missing.length > 0) return results;
  results.push(await checkRights(p.moodle, info));
  results.push(await checkFormLimit(p.moodle, info));
  results.push(await probeWriting(p.moodle));
  if (p.profileFields.length > 0) {
    results.push(await checkProfileFields({ ...p, user: info.userid }));
  }
  return results;
}

/** Each enrolment mails the person by default from 4.4 on, and no web service tells or changes it (seen on 4.5.6). */
const welcomeMail =
  'It mails everybody who is enrolled unless "Send course welcome message" is switched off under Manual enrolments.';

function checkVersion(release: string): CheckResult {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  const ok = Number(major) === 5 || (Number(major) === 4 && Number(minor) >= 1);
  const mails = Number(major) === 5 || Number(minor) >= 4;
  const message = ok
    ? `Version ${major}.${minor} is in the range 4.1 to 5.x.${mails ? ` ${welcomeMail}` : ''}`
    : `Version ${release} is not in the range 4.1 to 5.x: upgrade Moodle.`;
  return { name: 'version', ok, message };
}

/** Without rights everybody looks absent (recording moodle-4.5.6/02), so somebody who is there is asked for. */
async function checkRights(moodle: Moodle, info: SiteInfo): Promise<CheckResult> {
  const found = await lookUp(moodle, [info.userid]);
  const ok = found.has(info.userid);
  return {
    name: 'read-rights',
    ok,
    message: ok
      ? "The token's user sees accounts."
      : "The token's user does not even see its own account: give it moodle/user:viewdetails and moodle/user:viewhiddendetails at system level.",
  };
}

/** PHP drops form fields beyond max_input_vars without a word (reference); Moodle itself wants 5000. */
async function checkFormLimit(moodle: Moodle, info: SiteInfo): Promise<CheckResult> {
  const name = 'max-input-vars';
  const seesLast = async (fields: number): Promise<boolean> => {
    const nobodies = Array.from({ length: fields - 1 }, (_, index) => 2_000_000_000 + index);
    return (await lookUp(moodle, [...nobodies, info.userid])).has(info.userid);
  };
  if (!(await seesLast(980))) {
    const message =
      'The server drops form fields below 1,000: set max_input_vars = 5000 in php.ini.';
    return { name, ok: false, message };
  }
  return (await seesLast(4980))
    ? { name, ok: true, message: 'The server reads 5,000 form fields.' }
    : {
        name,
        ok: true,
        message:
          'The server reads 1,000 form fields, which is enough here, but Moodle recommends max_input_vars = 5000 in php.ini.',
      };
}

async function lookUp(moodle: Moodle, values: readonly number[]): Promise<ReadonlySet<number>> {
  try {
    const users = await moodle.read({
      function: 'core_user_get_users_by_field',
      params: { field: 'id', values },
      answer: userList,
    });
    return new Set(users.map((user) => user.id));
  } catch (error) {
    if (error instanceof MoodleError) return new Set();
    throw error;
  }
}

/** Reading rights prove nothing about writing: a cohort is made and deleted again. */
async function probeWriting(moodle: Moodle): Promise<CheckResult> {
  const name = 'write-probe';
  const idnumber = `skolebus-probe-${randomBytes(6).toString('hex')}`;
  const cohort = {
    categorytype: { type: 'system', value: '' },
    name: idnumber,
    idnumber,
    visible: 0,
  };
  try {
    const made = await moodle.write({
      function: 'core_cohort_create_cohorts',
      params: { cohorts: [cohort] },
      answer: z.tuple([z.object({ id: z.number() })]),
    });
    await moodle.write({
      function: 'core_cohort_delete_cohorts',
      params: { cohortids: [made[0].id] },
      answer: z.unknown(),
    });
    return { name, ok: true, message: 'A cohort could be made and deleted again.' };
  } catch (error) {
    if (!(error instanceof MoodleError)) throw error;
    const message = `Making and deleting the cohort ${idnumber} failed: ${remedyOf(error)}`;
    return { name, ok: false, message };
  }
}

/**
 * No web service lists or makes profile fields, and a value for one that is not there is dropped without
 * a word (recording moodle-4.5.6/14): the token's own user gets a value in each, which is read back and
 * emptied again.
 */
async function checkProfileFields(p: {
  readonly moodle: Moodle;
  readonly profileFields: readonly string[];
  readonly user: number;
}): Promise<CheckResult> {
  const { moodle, user } = p;
  const name = 'profile-fields';
  const write = async (fields: readonly string[], value: string): Promise<void> => {
    const customfields = fields.map((type) => ({ type, value }));
    await moodle.write({
      function: 'core_user_update_users',
      params: { users: [{ id: user, customfields }] },
      answer: z.unknown(),
    });
  };
  try {
    const filled = await readOwnFields(moodle, user);
    const unknown = p.profileFields.filter((field) => !filled.has(field));
    if (unknown.length > 0) await write(unknown, 'skolebus');
    const seen = await readOwnFields(moodle, user);
    const found = unknown.filter((field) => seen.has(field));
    if (found.length > 0) await write(found, '');
    const missing = unknown.filter((field) => !seen.has(field));
    return {
      name,
      ok: missing.length === 0,
      message:
        missing.length === 0
          ? 'The profile fields of the policy are there.'
          : `Make these text fields under Users, User profile fields: ${missing.join(', ')}.`,
    };
  } catch (error) {
    if (!(error instanceof MoodleError)) throw error;
    return { name, ok: false, message: `Trying the profile fields failed: ${remedyOf(error)}` };
  }
}

async function readOwnFields(moodle: Moodle, user: number): Promise<ReadonlyMap<string, string>> {
  const users = await moodle.read({
    function: 'core_user_get_users_by_field',
    params: { field: 'id', values: [user] },
    answer: userList,
  });
  return new Map([...(users[0]?.customfields ?? [])].filter(([, value]) => value !== ''));
}

const remedies: Readonly<Record<string, string>> = {
  'no-connection': 'No connection: check address, network and certificate.',
  'no-answer': 'The connection breaks before Moodle answers: check proxy and time limits.',
  'invalid-token': 'Moodle does not know the token: make a new one and set it.',
  'function-not-allowed': "The function is not in the token's service: add it.",
  'token-user-suspended': "The token's user is suspended: activate it, or use another.",
  'web-services-off':
    'HTTP 403: switch on web services and the REST protocol in the site administration.',
  'unexpected-answer': 'This is not a Moodle web service: check the address.',
  'welcome-mail-failed':
    'Moodle cannot mail: mend its mail, or switch off the welcome message of manual enrolments.',
  maintenance: 'Moodle is in maintenance mode: wait until it is over.',
  nopermissions: "The token's user lacks a right for this: give its role the right.",
};

function remedyOf(error: MoodleError): string {
  return remedies[error.reason] ?? `${error.message}.`;
}
