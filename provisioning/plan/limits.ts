import type { Limit } from '../policy/limit-schema.ts';
import type { Policy } from '../policy/schema.ts';
import type { Action } from './diff.ts';

/**
 * How much a plan may do without a person. No I/O.
 *
 *   limit              | code                      | one that is exceeded holds, in its institution
 *   -------------------+---------------------------+-----------------------------------------------
 *   deactivate         | limit-deactivate          | everything that would be shut or deleted
 *   groups             | limit-groups-vanishing    | the same
 *   memberships        | limit-memberships-lost    | every change by which somebody loses a place
 *   teacherRoles       | limit-teacher-roles-lost  | every change by which staff lose a role
 *   accessLost         | limit-access-lost         | every change that takes access to a folder
 *   accessGained       | limit-access-gained       | every change that gives access to a folder
 *   names, groupNames  | limit-names-changed       | every other name: of people, or of the rest
 *   identifiers        | limit-identifiers-changed | every other identifier, and the new accounts and
 *                      |                           | the shut ones when all seem to be new people
 *   growth             | limit-growth              | what is new of the kind
 *   institutionMissing | limit-institution-missing | nothing: it tells, for nothing leaves by it
 *   sourceSilent       | limit-source-silent       | the same
 *
 * Both figures must be exceeded, per cent and count. What is exceeded in one target holds the same
 * sort in every target of the institution: what looks like a broken export in one place is not to be
 * trusted in another. A new person is never held by losses, only by growth and by identifiers.
 */
const codes = {
  deactivate: 'limit-deactivate',
  groups: 'limit-groups-vanishing',
  memberships: 'limit-memberships-lost',
  teacherRoles: 'limit-teacher-roles-lost',
  accessLost: 'limit-access-lost',
  accessGained: 'limit-access-gained',
  names: 'limit-names-changed',
  groupNames: 'limit-names-changed',
  identifiers: 'limit-identifiers-changed',
  growth: 'limit-growth',
  institutionMissing: 'limit-institution-missing',
  sourceSilent: 'limit-source-silent',
} as const;

export type LimitName = keyof typeof codes;

export const limitCodes: readonly string[] = [...new Set(Object.values(codes))];

export const codeOf = (name: LimitName): string => codes[name];

/** What a plan would do of one sort in one place, and how much of it there is. */
export interface Effect {
  readonly institution: string;
  readonly target: string;
  readonly kind: string;
  readonly action: Action;
  /** The limit that looks at it. */
  readonly limit: LimitName;
  /** What it is about besides: the role whose access changes, the sources that are silent. */
  readonly detail: string | null;
  readonly count: number;
  readonly of: number;
}

/** An effect beside its limit. Near: over 70 per cent of both figures. */
export interface LimitRow extends Effect {
  readonly code: string;
  readonly percentLimit: number;
  readonly countLimit: number;
  readonly state: 'ok' | 'near' | 'exceeded' | 'allowed';
}

/** Changes that wait for a person, counted. */
export interface Held {
  readonly institution: string;
  readonly target: string;
  readonly kind: string;
  readonly action: Action;
  /** Why: a code of a limit, or for example `protected-without-alias`. */
  readonly code: string;
  readonly count: number;
  readonly of: number;
}

export type Occasion = 'ordinary' | 'rollover';

const nearly = 0.7;

/** Puts every effect beside its limit. */
export function judge(p: {
  readonly effects: readonly Effect[];
  readonly limitOf: (effect: Effect) => Limit;
  /** Whether a person has looked at it and allowed it. */
  readonly isAllowed: (effect: Effect) => boolean;
}): readonly LimitRow[] {
  return p.effects.map((effect) => {
    const { count, of } = effect;
    const limit = p.limitOf(effect);
    const over = (share: number) =>
      count > limit.count * share && count * 100 > of * limit.percent * share;
    const passes = over(nearly) ? 'near' : 'ok';
    const exceeds = p.isAllowed(effect) ? 'allowed' : 'exceeded';
    return {
      ...effect,
      code: codes[effect.limit],
      percentLimit: limit.percent,
      countLimit: limit.count,
      state: over(1) ? exceeds : passes,
    };
  });
}

/** Finds what is held by the limits that are exceeded; `limit` and `code` say by which. */
export function findHeld(p: {
  readonly rows: readonly LimitRow[];
  readonly isAllowed: (effect: Effect) => boolean;
}): readonly LimitRow[] {
  const tripped = new Map<string, string>();
  for (const row of p.rows) {
    if (row.state === 'exceeded' && !tripped.has(sortOf(row))) tripped.set(sortOf(row), row.code);
  }
  return p.rows.flatMap((row) => {
    const code = tripped.get(sortOf(row));
    if (code === undefined || (row.state !== 'exceeded' && p.isAllowed(row))) return [];
    return [{ ...row, code: row.state === 'exceeded' ? row.code : code }];
  });
}

/** Effects of one sort in one institution are held together. */
function sortOf(row: Effect): string {
  const sorts: Partial<Record<LimitName, string>> = {
    deactivate: 'shut',
    groups: 'shut',
    growth: `growth of ${row.kind}`,
    identifiers: `identifiers, ${row.action}`,
  };
  return `${row.institution} ${sorts[row.limit] ?? row.limit}`;
}

/** The figures that hold for an effect. Where nothing of a kind stood yet, all growth is a first load. */
export function limitFor(p: {
  readonly policy: Policy;
  readonly occasion: Occasion;
  readonly effect: Pick<Effect, 'institution' | 'limit' | 'of'>;
}): Limit {
  const { limits } = p.policy;
  const { institution, limit, of } = p.effect;
  if (limit === 'institutionMissing' || limit === 'sourceSilent') return { percent: 0, count: 0 };
  if (limit === 'growth' && of === 0) return limits.firstLoad.growth;
  if (p.occasion === 'rollover') return limits.rollover[limit];
  const own = limits.institutions[institution];
  const part = own?.[limit] ?? (limit === 'deactivate' ? own : undefined);
  return {
    percent: part?.percent ?? limits[limit].percent,
    count: part?.count ?? limits[limit].count,
  };
}
