import type { MoodleRole, ResourceKind } from '../../policy/resource.ts';
import type { Connector, ExternalIdLookup, Outcome, Work } from '../contract.ts';
import type { PaceClock } from '../pace/pace.ts';
import { applyAccounts } from './account.ts';
import { applyCategories } from './category.ts';
import { checkSite } from './check.ts';
import { applyCohorts } from './cohort.ts';
import { applyCourses } from './course.ts';
import { MoodleError, openMoodle } from './http.ts';
import { observeSite } from './observe.ts';
import { freshRoleIds, type Site } from './site.ts';
import { lookAgainCodes, outcomeOf, rejected, retry } from './write.ts';

/**
 * A Moodle (4.1 to 5.x) over its REST web services. Nothing is contacted before the first call.
 *
 * Ours is what carries `skolebus:<key>` as idnumber (mark.ts). What does not is never changed: a
 * username or short name that is taken rejects the row. `prepare` has nothing to do: sign-in
 * plugins, services and tokens are an administrator's work that no web service does.
 */
export function connectMoodle(p: {
  readonly name: string;
  /** Address of the site, with its path if it has one. */
  readonly url: string;
  readonly token: string;
  /** Milliseconds a call may take; 60,000 by default (a batch of 1,000 users took 12 s). */
  readonly timeoutMs?: number;
  /** Role ids that differ from those of a fresh site; no web service lists them. */
  readonly roleIds?: Readonly<Partial<Record<MoodleRole, number>>>;
  /** Short names of the profile fields that policy fills in; check() says which are missing. */
  readonly profileFields?: readonly string[];
  /** The zone of the courses' first and last day; `Europe/Copenhagen` by default. */
  readonly timeZone?: string;
  /** What the pace goes by; the system's by default. */
  readonly clock?: PaceClock;
}): Connector {
  const { timeoutMs = 60_000, timeZone = 'Europe/Copenhagen' } = p;
  const moodle = openMoodle({ ...p, timeoutMs });
  const site: Site = { moodle, timeZone, roleIds: { ...freshRoleIds, ...p.roleIds } };
  const turns = new Map<ResourceKind, Promise<unknown>>();

  /** One batch of a kind at a time: no unique index keeps two creates of one name apart. */
  function inTurn<T>(kind: ResourceKind, work: () => Promise<T>): Promise<T> {
    const before = turns.get(kind) ?? Promise.resolve();
    const mine = before.then(work, work);
    turns.set(kind, mine);
    return mine;
  }

  return {
    name: p.name,
    type: 'moodle',
    claimSize: { category: 100, account: 400, cohort: 100, course: 50 },
    pace: () => moodle.pace(),
    prepare: async () => {},
    check: () => checkSite({ moodle, profileFields: p.profileFields ?? [] }),
    observe: ({ kind }) => observeSite({ site, kind }),
    apply({ batch, externalIds }) {
      const kind = batch[0]?.kind;
      if (kind === undefined) return Promise.resolve([]);
      return inTurn(kind, () => applyBatch({ site, kind, batch, externalIds }));
    },
    [Symbol.asyncDispose]: () => moodle[Symbol.asyncDispose](),
  };
}

interface Batch {
  readonly site: Site;
  readonly kind: ResourceKind;
  readonly batch: readonly Work[];
  readonly externalIds: ExternalIdLookup;
}

/**
 * Two passes at most. The second one is for rows of which it is not known whether they were written
 * (an answer was lost, the database failed, a batch of new rows was refused): it looks for each of
 * them, and so finds what the first one made instead of making it again.
 */
async function applyBatch(p: Batch): Promise<readonly Outcome[]> {
  const outcomes = new Map(await applyOnce({ ...p, careful: false }));
  const again = p.batch.filter((row) => lookAgainCodes.has(codeOf(outcomes.get(row))));
  if (again.length > 0) {
    for (const [row, outcome] of await applyOnce({ ...p, batch: again, careful: true }))
      outcomes.set(row, outcome);
  }
  const settled = p.batch.map((row) => settle(row, outcomes.get(row)));
  return settled.every((outcome) => codeOf(outcome) === 'no-permission')
    ? settled.map(() => ({ state: 'unknown-host', code: 'no-permission', detail: noRights }))
    : settled;
}

const noRights = "the token's user may write nothing of this kind: give its role the rights";

function codeOf(outcome: Outcome | undefined): string {
  return outcome === undefined || outcome.state === 'applied' ? '' : outcome.code;
}

function settle(row: Work, outcome: Outcome | undefined): Outcome {
  if (outcome === undefined) return retry('not-reached', 'the row was not reached in this batch');
  // The same database error again and again is no accident.
  return codeOf(outcome) === 'database-write-failed' && row.attempts >= 5
    ? rejected('database-write-failed', 'Moodle cannot write the row to its database')
    : outcome;
}

async function applyOnce(
  p: Batch & {
    /** Look for every row, also for those that were never sent. */
    readonly careful: boolean;
  },
): Promise<ReadonlyMap<Work, Outcome>> {
  try {
    switch (p.kind) {
      case 'account':
        return await applyAccounts(p);
      case 'category':
        return await applyCategories(p);
      case 'cohort':
        return await applyCohorts(p);
      case 'course':
        return await applyCourses(p);
      case 'group':
      case 'folder':
        return new Map(
          p.batch.map((row) => [row, rejected('no-such-kind', `Moodle has no ${p.kind} of ours`)]),
        );
    }
  } catch (error) {
    // A look-up failed before anything was written, or between two writes: the next claim looks again.
    if (!(error instanceof MoodleError)) throw error;
    return new Map(p.batch.map((row) => [row, outcomeOf(error)]));
  }
}
