import type { QueueView } from '../../provisioning/ledger/queue-view.ts';
import { readQueue } from '../../provisioning/ledger/queue-view.ts';
import type { Gap, Headcount } from '../../provisioning/ledger/readiness.ts';
import { readGaps } from '../../provisioning/ledger/readiness.ts';
import type { Bell } from '../../provisioning/policy/calendar/bell.ts';
import { findBell } from '../../provisioning/policy/calendar/bell.ts';
import { nextClosing } from '../../provisioning/policy/calendar/open.ts';
import type { Calendar } from '../../provisioning/policy/calendar/schema.ts';
import type { Database } from '../../provisioning/store/database.ts';
import type { CauseSentence } from '../../provisioning/target/cause-sentences.ts';
import type { Forecast } from './forecast.ts';
import { forecastQueue } from './forecast.ts';
import type { MissingCause } from './readiness-words.ts';
import { explainMissing } from './readiness-words.ts';

/** Why so many people miss something; somebody who misses several things is counted with each. */
export interface MissingReason {
  readonly cause: MissingCause;
  /** Of the failure or the hold; of a brake its kind; null: the cause says it all. */
  readonly code: string | null;
  readonly target: string;
  readonly kind: Gap['kind'];
  readonly lane: Gap['lane'];
  /** People. */
  readonly count: number;
  /** When all of them have it; null: nobody can tell. */
  readonly eta: Date | null;
  readonly sentence: CauseSentence;
}

interface Share {
  /** Whoever is here today and has, or is to have, an account. */
  readonly people: number;
  readonly ready: number;
  readonly missing: number;
  /** When the last of the missing is ready; null: nobody is missing, or nobody can tell. */
  readonly eta: Date | null;
  /** Somebody will be missing something when the bell rings. */
  readonly late: boolean;
  readonly reasons: readonly MissingReason[];
}

export interface Readiness extends Share {
  readonly at: Date;
  /** When the bell rings next, or began to ring; null: there is none. */
  readonly bell: Date | null;
  readonly institutions: readonly (Share & {
    readonly institution: string;
    readonly name: string;
  })[];
}

/** How ready everybody is for the bell, per institution and in all. */
export async function readReadiness(p: {
  readonly database: Database;
  readonly tenant: string;
  /** Null: there are no calm windows, and no bell. */
  readonly calendar: Calendar | null;
  readonly now: Date;
}): Promise<Readiness> {
  const view = await readQueue(p);
  return judgeReadiness({ ...p, ...(await readGaps(p)), view });
}

/** How long what passes by itself may last before it counts as late, in ms. */
const patience = 5 * 60_000;
/** A worker that has written nothing for so long, with work in front of it, does not run; in ms. */
const silence = 15 * 60_000;

/** What the missing means for the bell. Pure. */
export function judgeReadiness(p: {
  readonly heads: readonly Headcount[];
  readonly gaps: readonly Gap[];
  readonly view: QueueView;
  readonly calendar: Calendar | null;
  readonly now: Date;
}): Readiness {
  const { calendar, now } = p;
  const bell = calendar === null ? null : findBell({ calendar, now });
  const forecast = forecastQueue(p);
  const judged = p.gaps.map((gap) => judge({ ...p, bell, forecast, gap }));
  const sum = (of: 'peopleOnce' | 'missingOnce') =>
    p.heads.reduce((total, head) => total + head[of], 0);
  return {
    at: now,
    bell: bell?.at ?? null,
    ...share({
      people: sum('peopleOnce'),
      missing: sum('missingOnce'),
      of: judged,
      count: 'once',
    }),
    institutions: p.heads.map(({ institution, name, people, missing }) => ({
      institution,
      name,
      ...share({
        people,
        missing,
        of: judged.filter(({ gap }) => gap.institution === institution),
        count: 'people',
      }),
    })),
  };
}

interface Judged {
  readonly gap: Gap;
  readonly cause: MissingCause;
  readonly code: string | null;
  readonly eta: Date | null;
  readonly late: boolean;
}

function share(p: {
  readonly people: number;
  readonly missing: number;
  readonly of: readonly Judged[];
  readonly count: 'people' | 'once';
}): Share {
  const { people, missing } = p;
  const alike = new Map<string, Judged[]>();
  for (const one of p.of) {
    const key = [one.cause, one.code, one.gap.target, one.gap.kind, one.gap.lane].join(' ');
    alike.set(key, [...(alike.get(key) ?? []), one]);
  }
  const reasons = [...alike.values()].flatMap((group): readonly MissingReason[] => {
    const [first] = group;
    const count = group.reduce((sum, { gap }) => sum + gap[p.count], 0);
    if (first === undefined || count === 0) return [];
    const { cause, code, gap } = first;
    const { target, kind, lane } = gap;
    const sentence = explainMissing({ cause, code });
    return [{ cause, code, target, kind, lane, count, eta: latest(group), sentence }];
  });
  return {
    people,
    ready: people - missing,
    missing,
    eta: latest(p.of),
    late: p.of.some(({ late }) => late),
    reasons: reasons.sort((a, b) => b.count - a.count || order(a).localeCompare(order(b))),
  };
}

function order(reason: MissingReason): string {
  return [reason.target, reason.kind, reason.lane, reason.cause, reason.code].join(' ');
}

function latest(of: readonly { readonly eta: Date | null }[]): Date | null {
  const times = of.map(({ eta }) => eta?.getTime() ?? Number.POSITIVE_INFINITY);
  const last = Math.max(...times);
  return Number.isFinite(last) ? new Date(last) : null;
}

type Known = {
  readonly view: QueueView;
  readonly forecast: Forecast;
  readonly calendar: Calendar | null;
  readonly bell: Bell | null;
  readonly now: Date;
  readonly gap: Gap;
};

function judge(p: Known): Judged {
  const { gap, bell, now } = p;
  const { cause, code, passes } = findCause(p);
  const eta = passes === 'known' ? etaOf(p) : null;
  if (bell === null) return { gap, cause, code, eta, late: false };
  // Somebody who comes while the bell rings is late only if it lasts.
  const limit = bell.rings ? now.getTime() + patience : bell.at.getTime();
  const late = eta === null ? passes !== 'soon' : eta.getTime() > limit;
  return { gap, cause, code, eta, late };
}

/** `known`: by itself, and it can be said when. `soon`: by itself, as far as one can see. `never`: not without somebody. */
interface Cause {
  readonly cause: MissingCause;
  readonly code: string | null;
  readonly passes: 'known' | 'soon' | 'never';
}

function findCause(p: Known): Cause {
  const { gap } = p;
  const { code } = gap;
  if (gap.state === 'open') return { cause: 'approval', code, passes: 'never' };
  if (gap.state !== 'due') return { cause: gap.state, code, passes: 'never' };
  if (gap.blocked !== null) return { cause: 'blocked', code: gap.blocked, passes: 'never' };
  if (gap.stuck) return { cause: 'stuck', code, passes: 'never' };
  const stopped = whatStops(p);
  if (code === null) return stopped;
  return { cause: 'put-off', code, passes: stopped.passes };
}

/** What stands in the way of the whole lane. */
function whatStops(p: Known): Cause {
  const { view, gap, bell, now } = p;
  const brake = view.brakes.find(
    (one) =>
      (one.target === null || one.target === gap.target) &&
      (one.lane === null || one.lane === gap.lane) &&
      (one.kind !== 'drain' || one.since < gap.committedAt),
  );
  if (brake !== undefined) {
    const ends = brake.until !== null && bell !== null && !bell.rings && brake.until < bell.at;
    return { cause: 'brake', code: brake.kind, passes: ends ? 'soon' : 'never' };
  }
  const circuit = view.circuits.find(({ target }) => target === gap.target);
  if (circuit !== undefined) {
    const lasts = now.getTime() - circuit.openedAt.getTime() > patience;
    return { cause: 'circuit', code: circuit.cause, passes: lasts ? 'never' : 'soon' };
  }
  const lane = laneOf(p);
  if (lane !== undefined && lane.opensAt !== null) {
    return { cause: 'calm-window', code: null, passes: lane.doneAt === null ? 'soon' : 'known' };
  }
  const waited = now.getTime() - gap.since.getTime();
  if (lane !== undefined && lane.doneAt === null) {
    return { cause: 'no-pace', code: null, passes: waited > patience ? 'never' : 'soon' };
  }
  return isSilent({ ...p, waited })
    ? { cause: 'no-pace', code: null, passes: 'never' }
    : { cause: 'queued', code: null, passes: 'known' };
}

/** Nothing was written for long, though there was something to write and nothing in the way. */
function isSilent(p: Known & { readonly waited: number }): boolean {
  const { view, gap, calendar, now } = p;
  const rate = view.rates.find(({ target }) => target === gap.target);
  if (gap.code !== null || p.waited < silence || rate === undefined) return false;
  if (now.getTime() - rate.measuredAt.getTime() < silence) return false;
  if (calendar === null) return true;
  const from = new Date(now.getTime() - silence);
  const closing = nextClosing({ calendar, lane: gap.lane, from, days: 1 });
  return closing === null || closing > now;
}

function laneOf(p: Known): Forecast['lanes'][number] | undefined {
  const { target, lane } = p.gap;
  return p.forecast.lanes.find((one) => one.target === target && one.lane === lane);
}

/** With its lane, but not before it is tried again. */
function etaOf(p: Known): Date | null {
  const lane = laneOf(p);
  // The last of the lane was settled between the two readings.
  const done = lane === undefined ? p.now : lane.doneAt;
  if (done === null) return null;
  return p.gap.code !== null && p.gap.dueAt > done ? p.gap.dueAt : done;
}
