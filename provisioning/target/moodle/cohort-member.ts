import { mayStand } from '../../ledger/work.ts';
import type { MoodleCohort } from '../../policy/resource.ts';
import type { ExternalIdLookup, Outcome, Work } from '../contract.ts';
import { type Moodle, MoodleError } from './http.ts';
import { readCohortMembers, warningList } from './lookup.ts';
import { numberOf } from './site.ts';
import { applied, errorOf, itemsPerCall, outcomeOf, sendBatches, sendWhole } from './write.ts';

interface Row {
  readonly work: Work;
  readonly cohortId: number;
  /** It was made a moment ago: nobody is in it. */
  readonly fresh: boolean;
}

interface Member {
  readonly row: Row;
  readonly key: string;
  readonly userId: number;
}

/** 200 members took 0.24 s in one call (reference), and 4 fields each are just below the limit. */
const membersPerCall = Math.min(200, itemsPerCall(4));

/**
 * Adds who is wanted and removes who we once put there and no longer want; members that somebody
 * else put there stay. Members whose account is not in the target yet are named as incomplete.
 */
export async function syncMembers(p: {
  readonly moodle: Moodle;
  readonly externalIds: ExternalIdLookup;
  readonly rows: readonly Row[];
}): Promise<ReadonlyMap<Work, Outcome>> {
  const { moodle, rows } = p;
  const outcomes = new Map<Work, Outcome>();
  if (rows.length === 0) return outcomes;
  const keys = new Set(
    rows.flatMap(({ work }) => [...membersOf(work.desired), ...membersBefore(work)]),
  );
  const ids = await p.externalIds({ kind: 'account', keys: [...keys] });
  const known = rows.filter((row) => !row.fresh);
  const present = await readCohortMembers({ moodle, ids: known.map((row) => row.cohortId) });
  if (known.some((row) => !present.has(row.cohortId))) throw cutAnswer();
  const leaving: Member[] = [];
  const coming: Member[] = [];
  const incomplete = new Map<Row, string[]>();
  for (const row of rows) {
    const there = new Set(present.get(row.cohortId) ?? []);
    const wanted = new Set(membersOf(row.work.desired));
    const absent: string[] = [];
    for (const key of wanted) {
      const userId = numberOf(ids.get(key));
      if (userId === null) absent.push(key);
      else if (!there.has(userId)) coming.push({ row, key, userId });
    }
    for (const key of membersBefore(row.work)) {
      const userId = numberOf(ids.get(key));
      if (userId !== null && !wanted.has(key) && there.has(userId))
        leaving.push({ row, key, userId });
    }
    incomplete.set(row, absent);
  }
  const failures = new Map<Row, MoodleError>();
  await removeMembers({ moodle, members: leaving, failures });
  const left = await addMembers({ moodle, members: coming, failures });
  for (const member of left) incomplete.get(member.row)?.push(member.key);
  for (const row of rows) {
    const failure = failures.get(row);
    outcomes.set(
      row.work,
      failure === undefined
        ? applied(String(row.cohortId), incomplete.get(row))
        : outcomeOf(failure),
    );
  }
  return outcomes;
}

/** Every cohort that exists is in the answer, so one that is not was cut off the question. */
function cutAnswer(): MoodleError {
  const message = 'Moodle answered for fewer cohorts than it was asked about';
  return new MoodleError({ code: 'answer-lost', reason: 'answer-cut', message });
}

function membersOf(body: Work['desired']): readonly string[] {
  return (body as MoodleCohort | null)?.members ?? [];
}

function membersBefore(work: Work): ReadonlySet<string> {
  return new Set(mayStand(work).flatMap(membersOf));
}

async function removeMembers(p: {
  readonly moodle: Moodle;
  readonly members: readonly Member[];
  readonly failures: Map<Row, MoodleError>;
}): Promise<void> {
  const sent = await sendWhole({
    moodle: p.moodle,
    function: 'core_cohort_delete_cohort_members',
    items: p.members,
    size: membersPerCall,
    params: (batch) => ({
      members: batch.map(({ row, userId }) => ({ cohortid: row.cohortId, userid: userId })),
    }),
  });
  for (const [member, result] of sent) {
    const error = errorOf(result);
    // Whose account is gone is no member any more.
    if (error !== null && error.reason !== 'invaliduser') p.failures.set(member.row, error);
  }
}

/** Partial: the good ones are added and the answer only warns of the others (recording moodle-4.5.6/17). */
async function addMembers(p: {
  readonly moodle: Moodle;
  readonly members: readonly Member[];
  readonly failures: Map<Row, MoodleError>;
}): Promise<readonly Member[]> {
  const doubtful: Member[] = [];
  const sent = await sendBatches<Member, boolean>({
    items: p.members,
    size: membersPerCall,
    async send(batch) {
      const members = batch.map(({ row, userId }) => ({
        cohorttype: { type: 'id', value: row.cohortId },
        usertype: { type: 'id', value: userId },
      }));
      const { warnings } = await p.moodle.write({
        function: 'core_cohort_add_cohort_members',
        params: { members },
        answer: warningList,
      });
      // Code 3 says "is a member already"; no other warning says of whom it speaks but in its text.
      const clean = warnings.every((warning) => warning.warningcode === '3');
      return batch.map(() => ({ ok: true, value: clean }));
    },
  });
  for (const [member, result] of sent) {
    if (!result.ok) p.failures.set(member.row, result.error);
    else if (!result.value) doubtful.push(member);
  }
  if (doubtful.length === 0) return [];
  const ids = doubtful.map((member) => member.row.cohortId);
  const present = await readCohortMembers({ moodle: p.moodle, ids });
  return doubtful.filter(({ row, userId }) => !present.get(row.cohortId)?.includes(userId));
}
