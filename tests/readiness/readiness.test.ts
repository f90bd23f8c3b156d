import { afterEach, beforeEach, expect, it } from 'vitest';
import { setBrake } from '../../provisioning/ledger/brake.ts';
import { openCircuit } from '../../provisioning/ledger/circuit.ts';
import { rememberRate } from '../../provisioning/ledger/rate.ts';
import type { Body } from '../../provisioning/policy/resource.ts';
import type { Work } from '../../provisioning/target/contract.ts';
import type { Readiness } from '../../services/worker/readiness.ts';
import { readReadiness } from '../../services/worker/readiness.ts';
import type { Line } from '../support/line.ts';
import { openLine } from '../support/line.ts';
import type { SmallPerson } from '../support/roster.ts';
import { smallRoster } from '../support/roster.ts';

const roster = smallRoster({ pupils: 3 });
/** A teacher, a leader and the pupils. */
const perSchool = 5;
let line: Line;

beforeEach(async () => {
  line = await openLine();
});

afterEach(async () => {
  await line[Symbol.asyncDispose]();
});

const read = (now = new Date()) => readReadiness({ ...line, calendar: null, now });

async function settle(of = roster): Promise<void> {
  await line.day({ roster: of, now: new Date() });
  await line.drain();
}

function refuse(target: 'keycloak' | 'nextcloud' | 'moodle', is: (work: Work) => boolean): void {
  line.targets[target].misbehave((work) =>
    is(work) ? { state: 'rejected', code: 'email-taken', detail: '' } : null,
  );
}

const usernameOf = (body: Body | null) => (body as { username?: string } | null)?.username ?? '';
const isClassOf = (school: string) => (work: Work) => work.key.startsWith(`group:${school}`);

function at(readiness: Readiness, school: string) {
  const found = readiness.institutions.find(({ institution }) => institution === school);
  if (found === undefined) throw new Error(`${school} is not in it.`);
  return found;
}

const counts = ({ people, ready, missing }: Readiness['institutions'][number] | Readiness) => [
  people,
  ready,
  missing,
];
const reasonsOf = ({ reasons }: Pick<Readiness, 'reasons'>) =>
  reasons.map(({ cause, code, target, kind, count }) => [cause, code, target, kind, count]);

function withMore(...people: readonly SmallPerson[]) {
  return { ...roster, people: [...roster.people, ...people] };
}
const newcomer: SmallPerson = { uniId: 'elev1999', institution: '101001', groups: ['7A'] };

it('is everybody when all is settled, and a second identical sync changes nothing', async () => {
  await settle();
  const first = await read();
  expect(counts(first)).toEqual([10, 10, 0]);
  expect(first).toMatchObject({ eta: null, late: false, bell: null, reasons: [] });
  expect(first.institutions.map(({ institution, name }) => [institution, name])).toEqual([
    ['101001', 'Skole 101001'],
    ['101002', 'Skole 101002'],
  ]);
  expect(first.institutions.map(counts)).toEqual([
    [perSchool, perSchool, 0],
    [perSchool, perSchool, 0],
  ]);
  await settle();
  expect(await read(first.at)).toEqual(first);
});

it('is nobody before the plan is approved, and says that this is why', async () => {
  await line.plan({ roster, now: new Date() });
  const readiness = await read();
  expect(counts(readiness)).toEqual([10, 0, 10]);
  expect(readiness.eta).toBeNull();
  expect(reasonsOf(readiness)).toEqual(
    ['keycloak', 'moodle', 'nextcloud'].map((target) => ['approval', null, target, 'account', 10]),
  );
});

it('misses exactly the one whose account a target refuses, once, and says why', async () => {
  refuse('moodle', ({ kind, desired }) => kind === 'account' && usernameOf(desired) === 'elev1001');
  await settle();
  const readiness = await read();
  expect(counts(readiness)).toEqual([10, 9, 1]);
  expect(counts(at(readiness, '101001'))).toEqual([perSchool, perSchool - 1, 1]);
  expect(counts(at(readiness, '101002'))).toEqual([perSchool, perSchool, 0]);
  // That courses and cohorts wait for the account follows from it.
  expect(reasonsOf(at(readiness, '101001'))).toEqual([
    ['failed', 'email-taken', 'moodle', 'account', 1],
  ]);
  expect(readiness.reasons[0]?.sentence.da).toContain('e-mail');
  expect(readiness.eta).toBeNull();
});

it('is a share while a target is worked on, with the time at its pace', async () => {
  line.targets.moodle.misbehave((work) =>
    work.kind === 'account' && usernameOf(work.desired).includes('2')
      ? { state: 'retry', afterMs: 600_000, code: 'busy', detail: '' }
      : null,
  );
  await settle();
  const none = await read();
  const busy = at(none, '101002');
  expect(busy.missing).toBe(perSchool);
  expect(reasonsOf(busy)).toEqual([['put-off', 'busy', 'moodle', 'account', perSchool]]);
  expect(busy.eta).toBeNull();
  await rememberRate({ ...line, target: 'moodle', rows: 100, seconds: 10 });
  const known = at(await read(), '101002');
  expect(known.eta?.getTime()).toBeGreaterThan(Date.now() + 590_000);
  line.targets.moodle.misbehave(null);
  await line.database.as(line.tenant, (tx) => tx.execute('update resource set due_at = now()'));
  await line.drain();
  expect(counts(await read())).toEqual([10, 10, 0]);
});

it('says that nobody can tell when a row is put off again and again', async () => {
  line.targets.moodle.misbehave((work) =>
    work.kind === 'account'
      ? { state: 'retry', afterMs: 0, code: 'server-error', detail: '' }
      : null,
  );
  await settle();
  await rememberRate({ ...line, target: 'moodle', rows: 100, seconds: 10 });
  await line.database.as(line.tenant, (tx) =>
    tx.execute(`update resource set attempts = 8 where target = 'moodle' and kind = 'account'`),
  );
  const readiness = await read();
  expect(reasonsOf(readiness)).toEqual([['stuck', 'server-error', 'moodle', 'account', 10]]);
  expect(readiness.eta).toBeNull();
});

it('leaves classmates alone when somebody comes, and when the course then fails', async () => {
  await settle();
  refuse('moodle', ({ kind }) => kind === 'course');
  await line.day({ roster: withMore(newcomer), now: new Date() });
  expect(counts(at(await read(), '101001'))).toEqual([perSchool + 1, perSchool, 1]);
  await line.drain();
  const school = at(await read(), '101001');
  expect(counts(school)).toEqual([perSchool + 1, perSchool, 1]);
  expect(reasonsOf(school)).toEqual([['failed', 'email-taken', 'moodle', 'course', 1]]);
});

it('counts a course that never came for everybody in it, and a folder for those who may open it', async () => {
  refuse('moodle', (work) => work.kind === 'course' && isClassOf('101001')(work));
  refuse('nextcloud', (work) => work.kind === 'folder' && isClassOf('101002')(work));
  await settle();
  const readiness = await read();
  // The teacher and the pupils; the folder is the leader's too.
  expect(reasonsOf(at(readiness, '101001'))).toEqual([
    ['failed', 'email-taken', 'moodle', 'course', 4],
  ]);
  expect(reasonsOf(at(readiness, '101002'))).toEqual([
    ['failed', 'email-taken', 'nextcloud', 'folder', perSchool],
  ]);
});

it('counts a cohort for its pupils, and a category for those who have a role in it', async () => {
  const policy = 'version: 1\ncourses: { categoryRoles: { leader: manager } }\n';
  refuse('moodle', ({ kind }) => kind === 'cohort');
  await settle();
  expect(reasonsOf(await read())).toEqual([['failed', 'email-taken', 'moodle', 'cohort', 6]]);
  refuse('moodle', ({ kind }) => kind === 'category');
  await line.day({ roster, policy, now: new Date() });
  await line.drain();
  expect(reasonsOf(await read())).toEqual([
    ['failed', 'email-taken', 'moodle', 'cohort', 6],
    ['failed', 'email-taken', 'moodle', 'category', 2],
  ]);
});

it('names what is in the way of what waits for it', async () => {
  refuse('keycloak', (work) => work.kind === 'group' && work.key === 'school:101001');
  await settle();
  const school = at(await read(), '101001');
  expect(reasonsOf(school)).toEqual([['blocked', 'email-taken', 'keycloak', 'account', perSchool]]);
  expect(school.eta).toBeNull();
});

it('counts whoever is held, and not those beside', async () => {
  const policy = `version: 1\nlimits: { growth: { percent: 0, count: 1 } }\n`;
  await settle();
  const two = withMore(newcomer, { ...newcomer, uniId: 'elev1998' });
  await line.day({ roster: two, policy, now: new Date() });
  await line.drain();
  const school = at(await read(), '101001');
  expect(counts(school)).toEqual([perSchool + 2, perSchool, 2]);
  expect(reasonsOf(school)).toContainEqual(['held', 'limit-growth', 'moodle', 'account', 2]);
  expect(school.reasons[0]?.sentence.en).toContain('limit');
});

it('does not count whoever left, nor what is scheduled for later', async () => {
  await settle();
  const [first] = roster.people;
  const others = roster.people.filter((person) => person !== first);
  await settle({ ...roster, people: others });
  expect(counts(await read())).toEqual([9, 9, 0]);
});

it('counts somebody at two schools at each, and once in all', async () => {
  const both: SmallPerson = {
    uniId: 'lear3001',
    institution: '101001',
    kind: 'staff',
    roles: ['teacher'],
  };
  refuse('moodle', ({ kind, desired }) => kind === 'account' && usernameOf(desired) === 'lear3001');
  await settle(withMore(both, { ...both, institution: '101002' }));
  const readiness = await read();
  expect(counts(readiness)).toEqual([11, 10, 1]);
  expect(reasonsOf(readiness)).toEqual([['failed', 'email-taken', 'moodle', 'account', 1]]);
  expect(readiness.institutions.map(counts)).toEqual([
    [perSchool + 1, perSchool, 1],
    [perSchool + 1, perSchool, 1],
  ]);
});

it('does not count parents, to whom policy gives nothing', async () => {
  await settle(
    withMore({
      uniId: 'foraelder1',
      institution: '101001',
      kind: 'guardian',
      roles: [],
      children: ['elev1001'],
    }),
  );
  expect(counts(await read())).toEqual([10, 10, 0]);
});

it('names nobody, protected or not', async () => {
  refuse('moodle', ({ kind }) => kind === 'account');
  await settle(withMore({ ...newcomer, protected: true, given: 'Hemmelig', family: 'Beskyttet' }));
  const text = JSON.stringify(await read());
  expect(text).not.toMatch(/Hemmelig|Beskyttet|Fornavn|Prøvesen|elev1|person:/);
});

it('knows what an operator stopped, and a server that is away', async () => {
  await line.day({ roster, now: new Date() });
  for (const target of ['keycloak', 'nextcloud', 'moodle'] as const) {
    await rememberRate({ ...line, target, rows: 100, seconds: 10 });
  }
  expect((await read()).eta?.getTime()).toBeGreaterThan(Date.now());
  await setBrake({
    ...line,
    brake: { target: 'moodle', lane: null, kind: 'pause', until: null, reason: 'x', by: 'x' },
  });
  await openCircuit({ ...line, target: 'nextcloud', cause: 'timeout', afterMs: 0, random: 1 });
  const readiness = await read();
  expect(reasonsOf(readiness)).toEqual([
    ['queued', null, 'keycloak', 'account', 10],
    ['brake', 'pause', 'moodle', 'account', 10],
    ['circuit', 'timeout', 'nextcloud', 'account', 10],
  ]);
  expect(readiness.eta).toBeNull();
  expect(readiness.reasons.map(({ eta }) => eta !== null)).toEqual([true, false, false]);
});
