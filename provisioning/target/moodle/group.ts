import * as z from 'zod';
import { mayStand } from '../../ledger/work.ts';
import type { MoodleCourse } from '../../policy/resource.ts';
import type { ExternalIdLookup, Outcome, Work } from '../contract.ts';
import type { FormValue, Moodle, MoodleError } from './http.ts';
import { keyOfMark, ownerMark, unescapeName } from './mark.ts';
import { numberOf } from './site.ts';
import { eachRow, itemsPerCall, outcomeOf, rejected, sendBatches, sendWhole } from './write.ts';

interface Row {
  readonly work: Work;
  readonly courseId: number;
}

interface Wanted {
  readonly row: Row;
  readonly name: string;
  readonly mark: string;
}

interface Member {
  readonly row: Row;
  readonly key: string;
  readonly groupId: number;
  readonly userId: number;
}

/** What came of the groups: rows that failed, and accounts that could not be put in yet. */
export interface GroupsSynced {
  readonly failures: ReadonlyMap<Work, Outcome>;
  readonly absent: ReadonlyMap<Work, readonly string[]>;
}

/**
 * Brings the groups inside courses to what is wanted; courses that neither want nor had any are not
 * asked about. Ours carry `skolebus:<name>` as idnumber, so a group of that name which somebody else
 * made rejects the row. Only who is enrolled may be in a group (recording moodle-4.5.6/26), so this
 * comes after the enrolments.
 */
export async function syncGroups(p: {
  readonly moodle: Moodle;
  readonly externalIds: ExternalIdLookup;
  readonly rows: readonly Row[];
}): Promise<GroupsSynced> {
  const { moodle } = p;
  const failures = new Map<Work, Outcome>();
  const absent = new Map<Work, string[]>();
  const rows = p.rows.filter(({ work }) =>
    [work.desired, ...mayStand(work)].some((body) => groupsOf(body) !== null),
  );
  if (rows.length === 0) return { failures, absent };
  const fail = (row: Row, error: MoodleError): void => {
    failures.set(row.work, outcomeOf(error));
  };
  const groups = await findGroups({ moodle, rows, failures });
  const open = () => rows.filter((row) => !failures.has(row.work));
  await deleteGroups({ moodle, rows: open(), groups, fail });
  await createGroups({ moodle, rows: open(), groups, fail });
  const ids = await p.externalIds({ kind: 'account', keys: accountKeys(open()) });
  const present = await readMembers(moodle, [
    ...new Set(open().flatMap((row) => [...(groups.get(row) ?? new Map()).values()])),
  ]);
  const coming: Member[] = [];
  const leaving: Member[] = [];
  for (const row of open()) {
    for (const [name, keys] of Object.entries(groupsOf(row.work.desired) ?? {})) {
      const groupId = groups.get(row)?.get(markOf(name));
      if (groupId === undefined) continue;
      const there = new Set(present.get(groupId));
      const before = mayStand(row.work).flatMap((body) => groupsOf(body)?.[name] ?? []);
      for (const key of new Set([...keys, ...before])) {
        const userId = numberOf(ids.get(key));
        const wanted = keys.includes(key);
        if (userId === null) {
          if (wanted) absent.set(row.work, [...(absent.get(row.work) ?? []), key]);
        } else if (wanted !== there.has(userId)) {
          (wanted ? coming : leaving).push({ row, key, groupId, userId });
        }
      }
    }
  }
  await sendMembers({
    moodle,
    function: 'core_group_delete_group_members',
    members: leaving,
    fail,
  });
  await sendMembers({ moodle, function: 'core_group_add_group_members', members: coming, fail });
  return { failures, absent };
}

type Fail = (row: Row, error: MoodleError) => void;
/** Row -> mark -> number of the group. */
type Groups = Map<Row, Map<string, number>>;

function groupsOf(body: Work['desired']): NonNullable<MoodleCourse['groups']> | null {
  return (body as MoodleCourse | null)?.groups ?? null;
}

function accountKeys(rows: readonly Row[]): readonly string[] {
  const groups = rows.flatMap(({ work }) => [work.desired, ...mayStand(work)].map(groupsOf));
  return [...new Set(groups.flatMap((one) => Object.values(one ?? {}).flat()))];
}

function markOf(name: string): string {
  return ownerMark({ kind: 'group', key: name });
}

const groupList = z.array(
  z.object({ id: z.number(), name: z.string(), idnumber: z.string().default('') }),
);

async function findGroups(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly failures: Map<Work, Outcome>;
}): Promise<Groups> {
  const groups: Groups = new Map();
  await eachRow({
    rows: p.rows,
    outcomes: p.failures,
    async look(row) {
      const all = await listGroups(p.moodle, row.courseId);
      const ours = all.filter((group) => keyOfMark(group.idnumber) !== null);
      groups.set(row, new Map(ours.map((group) => [group.idnumber, group.id])));
      const wanted = Object.keys(groupsOf(row.work.desired) ?? {}).map((one) => one.toLowerCase());
      const taken = all.some(
        (group) => !ours.includes(group) && wanted.includes(group.name.toLowerCase()),
      );
      if (taken) {
        const detail = 'a group that is not ours has the name in this course';
        p.failures.set(row.work, rejected('group-name-taken', detail));
      }
    },
  });
  return groups;
}

/** Names come back HTML-escaped (recording moodle-4.5.6/28). */
export async function listGroups(
  moodle: Moodle,
  courseid: number,
): Promise<readonly z.infer<typeof groupList>[number][]> {
  const params = { courseid };
  const answer = groupList;
  const all = await moodle.read({ function: 'core_group_get_course_groups', params, answer });
  return all.map((group) => ({ ...group, name: unescapeName(group.name) }));
}

/** Group number -> numbers of its members. The groups must exist (recording moodle-4.5.6/26). */
async function readMembers(
  moodle: Moodle,
  groupids: readonly number[],
): Promise<ReadonlyMap<number, readonly number[]>> {
  const pages = [];
  for (let at = 0; at < groupids.length; at += 100) {
    pages.push(
      moodle.read({
        function: 'core_group_get_group_members',
        params: { groupids: groupids.slice(at, at + 100) },
        answer: z.array(z.object({ groupid: z.number(), userids: z.array(z.number()) })),
      }),
    );
  }
  return new Map((await Promise.all(pages)).flat().map((row) => [row.groupid, row.userids]));
}

/** A group that is not there is no fault (recording moodle-4.5.6/26). */
async function deleteGroups(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly groups: Groups;
  readonly fail: Fail;
}): Promise<void> {
  const items = p.rows.flatMap((row) => {
    const wanted = new Set(Object.keys(groupsOf(row.work.desired) ?? {}).map(markOf));
    const there = [...(p.groups.get(row) ?? [])];
    return there.filter(([mark]) => !wanted.has(mark)).map(([mark, id]) => ({ row, mark, id }));
  });
  const sent = await sendWhole({
    moodle: p.moodle,
    function: 'core_group_delete_groups',
    items,
    size: 50,
    params: (batch) => ({ groupids: batch.map(({ id }) => id) }),
  });
  for (const [{ row, mark }, result] of sent) {
    if (result.ok) p.groups.get(row)?.delete(mark);
    else p.fail(row, result.error);
  }
}

async function createGroups(p: {
  readonly moodle: Moodle;
  readonly rows: readonly Row[];
  readonly groups: Groups;
  readonly fail: Fail;
}): Promise<void> {
  const items: Wanted[] = p.rows.flatMap((row) =>
    Object.keys(groupsOf(row.work.desired) ?? {})
      .map((name) => ({ row, name, mark: markOf(name) }))
      .filter(({ mark }) => p.groups.get(row)?.has(mark) !== true),
  );
  const sent = await sendBatches<Wanted, number>({
    items,
    size: 50,
    async send(batch) {
      const groups = batch.map(
        ({ row, name, mark }): FormValue => ({
          courseid: row.courseId,
          name,
          description: '',
          idnumber: mark,
        }),
      );
      const call = { function: 'core_group_create_groups', params: { groups } } as const;
      const made = await p.moodle.write({ ...call, answer: z.array(z.object({ id: z.number() })) });
      return batch.map((_, index) => ({ ok: true, value: made[index]?.id ?? 0 }));
    },
  });
  for (const [{ row, mark }, result] of sent) {
    if (result.ok) p.groups.get(row)?.set(mark, result.value);
    else p.fail(row, result.error);
  }
}

async function sendMembers(p: {
  readonly moodle: Moodle;
  readonly function: 'core_group_add_group_members' | 'core_group_delete_group_members';
  readonly members: readonly Member[];
  readonly fail: Fail;
}): Promise<void> {
  const sent = await sendWhole({
    moodle: p.moodle,
    function: p.function,
    items: p.members,
    size: Math.min(200, itemsPerCall(2)),
    params: (batch) => ({
      members: batch.map(({ groupId, userId }) => ({ groupid: groupId, userid: userId })),
    }),
  });
  for (const [{ row }, result] of sent) {
    if (!result.ok) p.fail(row, result.error);
  }
}
