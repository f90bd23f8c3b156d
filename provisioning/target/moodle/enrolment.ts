import { mayStand } from '../../ledger/work.ts';
import type { MoodleCourse } from '../../policy/resource.ts';
import type { ExternalIdLookup, Outcome, Work } from '../contract.ts';
import type { Moodle, MoodleError } from './http.ts';
import { type MoodleEnrolled, readEnrolled } from './lookup.ts';
import { numberOf, type Site } from './site.ts';
import { applied, eachRow, itemsPerCall, outcomeOf, type Sent, sendWhole } from './write.ts';

interface Row {
  readonly work: Work;
  readonly courseId: number;
  /** It was made a moment ago: nobody is in it, and nobody need be asked. */
  readonly fresh: boolean;
}

/** What is to be done with one person in one course. */
interface Move {
  readonly row: Row;
  readonly key: string;
  readonly userId: number;
  /** No role is left: out of the course. */
  readonly unenrol: boolean;
  /** Role ids to take from somebody who stays. */
  readonly take: readonly number[];
  /** Role ids to give. */
  readonly give: readonly number[];
}

/** 200 enrolments took 0.88 s (reference); the form limit would allow 329. */
const enrolmentsPerCall = Math.min(300, itemsPerCall(3));

/**
 * Brings the enrolments of many courses to what is wanted. A lost role is really lost: unenrolling
 * ignores the role and drops all of them, group memberships too (recording moodle-4.5.6/25), so who
 * stays only has the role taken in the course's context, and keeps groups and grades. People who are
 * not in any state that we wrote are left alone, and so are roles that somebody gave by hand.
 */
export async function syncEnrolments(p: {
  readonly site: Site;
  readonly externalIds: ExternalIdLookup;
  readonly rows: readonly Row[];
}): Promise<ReadonlyMap<Work, Outcome>> {
  const { moodle } = p.site;
  const outcomes = new Map<Work, Outcome>();
  if (p.rows.length === 0) return outcomes;
  const keys = new Set(
    p.rows.flatMap(({ work }) => [
      ...Object.keys(rolesOf(work.desired)),
      ...mayStand(work).flatMap((body) => Object.keys(rolesOf(body))),
    ]),
  );
  const ids = await p.externalIds({ kind: 'account', keys: [...keys] });
  const plans: ReturnType<typeof planCourse>[] = [];
  await eachRow({
    rows: p.rows,
    outcomes,
    async look(row) {
      const present = row.fresh ? [] : await readEnrolled({ moodle, courseId: row.courseId });
      plans.push(planCourse({ site: p.site, row, ids, present }));
    },
  });
  const moves = plans.flatMap((plan) => plan.moves);
  const incomplete = new Map(plans.map((plan) => [plan.row, [...plan.absent]]));
  const failures = new Map<Row, MoodleError>();
  const gone = new Set<Move>();
  const fail = (move: Move, error: MoodleError): void => {
    if (error.reason === 'invaliduser') gone.add(move);
    else failures.set(move.row, error);
  };
  for (const [move, error] of await unenrolAll(moodle, moves)) fail(move, error);
  for (const [move, error] of await takeRoles(moodle, moves)) fail(move, error);
  const open = moves.filter((move) => !gone.has(move) && !failures.has(move.row));
  for (const [move, error] of await enrolAll(moodle, open)) fail(move, error);
  for (const move of gone) {
    if (move.key in rolesOf(move.row.work.desired)) incomplete.get(move.row)?.push(move.key);
  }
  for (const { row } of plans) {
    const failure = failures.get(row);
    outcomes.set(
      row.work,
      failure === undefined
        ? applied(String(row.courseId), incomplete.get(row))
        : outcomeOf(failure),
    );
  }
  return outcomes;
}

function rolesOf(body: Work['desired']): MoodleCourse['enrolments'] {
  return (body as MoodleCourse | null)?.enrolments ?? {};
}

function planCourse(p: {
  readonly site: Site;
  readonly row: Row;
  readonly ids: ReadonlyMap<string, string>;
  readonly present: MoodleEnrolled;
}): { readonly row: Row; readonly moves: readonly Move[]; readonly absent: readonly string[] } {
  const { row } = p;
  const desired = rolesOf(row.work.desired);
  const before = mayStand(row.work).map(rolesOf);
  const present = new Map(
    p.present.map((user) => [user.id, new Set(user.roles.map((role) => role.roleid))]),
  );
  const number = (roles: MoodleCourse['enrolments'][string]) =>
    roles.map((role) => p.site.roleIds[role]);
  const moves: Move[] = [];
  const absent: string[] = [];
  for (const key of new Set([desired, ...before].flatMap(Object.keys))) {
    const userId = numberOf(p.ids.get(key));
    const wanted = number(desired[key] ?? []);
    if (userId === null) {
      if (wanted.length > 0) absent.push(key);
      continue;
    }
    const has = present.get(userId);
    const given = new Set(before.flatMap((roles) => number(roles[key] ?? [])));
    const lost = [...given].filter((role) => !wanted.includes(role));
    const lacks = wanted.filter((role) => has?.has(role) !== true);
    // Enrolled without any role is what is left when somebody takes our role away by hand.
    const stray = wanted.length === 0 && has?.size === 0;
    const take = lost.filter((role) => has?.has(role) === true);
    const left = [...(has ?? [])].filter((role) => !take.includes(role)).length + lacks.length;
    const unenrol = stray || (take.length > 0 && left === 0);
    if (unenrol || take.length > 0 || lacks.length > 0) {
      moves.push({ row, key, userId, unenrol, take: unenrol ? [] : take, give: lacks });
    }
  }
  return { row, moves, absent };
}

type Failures = readonly (readonly [Move, MoodleError])[];

async function unenrolAll(moodle: Moodle, moves: readonly Move[]): Promise<Failures> {
  const sent = await sendWhole({
    moodle,
    function: 'enrol_manual_unenrol_users',
    items: moves.filter((move) => move.unenrol),
    size: itemsPerCall(2),
    params: (batch) => ({
      enrolments: batch.map(({ row, userId }) => ({ userid: userId, courseid: row.courseId })),
    }),
  });
  return failuresOf(sent);
}

async function takeRoles(moodle: Moodle, moves: readonly Move[]): Promise<Failures> {
  const sent = await sendWhole({
    moodle,
    function: 'core_role_unassign_roles',
    items: moves.filter((move) => move.take.length > 0),
    size: itemsPerCall(4),
    weight: (move) => move.take.length,
    params: (batch) => ({
      unassignments: batch.flatMap(({ row, userId, take }) =>
        take.map((roleid) => ({
          roleid,
          userid: userId,
          contextlevel: 'course',
          instanceid: row.courseId,
        })),
      ),
    }),
  });
  return failuresOf(sent);
}

/** All roles of a person in a course travel in one call: two at once are a database error (reference). */
async function enrolAll(moodle: Moodle, moves: readonly Move[]): Promise<Failures> {
  const sent = await sendWhole({
    moodle,
    function: 'enrol_manual_enrol_users',
    items: moves.filter((move) => move.give.length > 0),
    size: enrolmentsPerCall,
    weight: (move) => move.give.length,
    params: (batch) => ({
      enrolments: batch.flatMap(({ row, userId, give }) =>
        give.map((roleid) => ({ roleid, userid: userId, courseid: row.courseId })),
      ),
    }),
  });
  return failuresOf(sent);
}

function failuresOf(sent: ReadonlyMap<Move, Sent<null>>): Failures {
  return [...sent].flatMap(([move, result]) => (result.ok ? [] : [[move, result.error] as const]));
}
