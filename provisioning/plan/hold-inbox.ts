/** What waits for a person, as people read it, and what they decide about it. */
import type { Database, Transaction } from '../store/database.ts';
import type { HoldChoice, NamedPerson, Sentence } from './hold-catalogue.ts';
import { choicesFor, whyHeld } from './hold-catalogue.ts';

export interface Hold {
  readonly id: string;
  readonly code: string;
  readonly institution: string | null;
  /** Name of a target, or `*` for all. */
  readonly target: string;
  readonly kind: string;
  readonly action: string;
  readonly count: number;
  readonly of: number;
  readonly subject: string;
  readonly why: Sentence;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly choices: readonly HoldChoice[];
  readonly openedAt: Date;
  readonly seenAt: Date;
  readonly state: 'open' | 'decided' | 'gone';
  readonly decision: HoldDecision | null;
}

export interface HoldDecision {
  readonly choice: string;
  /** For the next commit only, or for every later case of the same subject. */
  readonly scope: 'once' | 'rule';
  readonly until: Date | null;
  readonly by: string | null;
  readonly at: Date;
  /** When it was used, or taken back. */
  readonly spentAt: Date | null;
}

interface HoldRow {
  readonly id: string;
  readonly code: string;
  readonly subject: string;
  readonly institution: string | null;
  readonly person_id: string | null;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly state: Hold['state'];
  readonly opened_at: Date;
  readonly seen_at: Date;
  readonly choice: string | null;
  readonly scope: 'once' | 'rule' | null;
  readonly until: Date | null;
  readonly decided_by: string | null;
  readonly decided_at: Date | null;
  readonly spent_at: Date | null;
}

interface Place {
  readonly database: Database;
  readonly tenant: string;
}

/** Newest first. `after` is the id of the last hold of the page before. */
export async function listHolds(
  p: Place & {
    readonly state: 'open' | 'decided';
    readonly institution: string | null;
    readonly code: string | null;
    readonly after: string | null;
    readonly limit: number;
  },
): Promise<readonly Hold[]> {
  return p.database.as(p.tenant, async (tx) => {
    const rows = await tx.query<HoldRow & Record<string, unknown>>(
      `select h.* from hold h
       where h.state = $1 and ($2::text is null or h.institution = $2)
         and ($3::text is null or h.code = $3)
         and ($4::uuid is null or (h.opened_at, h.id) < (select o.opened_at, o.id from hold o where o.id = $4))
       order by h.opened_at desc, h.id desc limit $5`,
      [p.state, p.institution, p.code, p.after, p.limit],
    );
    return toHolds({ tx, rows });
  });
}

/** Holds about a person: told of that person, or naming the person among the evidence. */
export async function listHoldsAbout(
  p: Place & { readonly person: string },
): Promise<readonly Hold[]> {
  return p.database.as(p.tenant, async (tx) => {
    const rows = await tx.query<HoldRow & Record<string, unknown>>(
      `select * from hold where state <> 'gone'
         and (person_id::text = $1 or strpos(evidence::text, $1) > 0)
       order by opened_at desc, id desc limit 100`,
      [p.person],
    );
    return toHolds({ tx, rows });
  });
}

export async function findHold(p: Place & { readonly id: string }): Promise<Hold | null> {
  return p.database.as(p.tenant, (tx) => readHold({ tx, id: p.id }));
}

/**
 * Decides an open hold. Nothing is done by it: the next plan, or the next feed, follows the decision.
 *
 * @throws HoldError for an unknown or decided hold, a choice that it does not offer, or a day that does
 *   not fit
 */
export async function decideHold(
  p: Place & {
    readonly id: string;
    readonly choice: string;
    readonly scope: 'once' | 'rule';
    readonly until: Date | null;
    readonly by: string;
    readonly now: Date;
  },
): Promise<Hold> {
  return p.database.as(p.tenant, async (tx) => {
    const hold = await requireHold({ tx, id: p.id });
    if (hold.state !== 'open') throw notOpen(hold);
    checkDecision({ ...p, hold });
    await tx.execute(
      `update hold set state = 'decided', choice = $2, scope = $3, until = $4, decided_by = $5,
              decided_at = $6
       where id = $1`,
      [hold.id, p.choice, p.scope, p.until, p.by, p.now],
    );
    return requireHold({ tx, id: p.id });
  });
}

/**
 * Takes a decision back: the next plan asks again where the cause is still there. What was done
 * by it stays done.
 *
 * @throws HoldError for an unknown hold, or one without a decision in force
 */
export async function revokeDecision(
  p: Place & { readonly id: string; readonly now: Date },
): Promise<Hold> {
  return p.database.as(p.tenant, async (tx) => {
    const hold = await requireHold({ tx, id: p.id });
    if (hold.decision === null || hold.decision.spentAt !== null) {
      throw new HoldError({
        code: 'hold-not-decided',
        message: `Hold ${p.id} has no decision in force: there is nothing to take back.`,
      });
    }
    await tx.execute(`update hold set until = $2, spent_at = $2 where id = $1`, [hold.id, p.now]);
    return requireHold({ tx, id: p.id });
  });
}

function checkDecision(p: {
  readonly hold: Hold;
  readonly choice: string;
  readonly scope: 'once' | 'rule';
  readonly until: Date | null;
  readonly now: Date;
}): void {
  const { hold } = p;
  const offered = hold.choices.map(({ choice }) => choice);
  if (offered.length === 0) {
    throw new HoldError({
      code: 'choice-unknown',
      message: `Hold ${hold.id} cannot be decided here. ${hold.why.en}`,
    });
  }
  if (!offered.includes(p.choice)) {
    throw new HoldError({
      code: 'choice-unknown',
      message: `Hold ${hold.id} (${hold.code}) does not offer this choice. Choose one of: ${offered.join(', ')}.`,
    });
  }
  if (p.until !== null && (p.scope !== 'rule' || p.until <= p.now)) {
    throw new HoldError({
      code: 'until-invalid',
      message:
        'A last day belongs to a rule and must lie ahead. Say rule as well, or leave it out.',
    });
  }
}

function notOpen(hold: Hold): HoldError {
  const { decision } = hold;
  const what =
    decision === null
      ? 'is gone: its cause is no longer there, and there is nothing to decide'
      : `was decided as ${decision.choice} by ${decision.by ?? 'somebody'} on ${decision.at.toISOString().slice(0, 10)}. Take that back first (skolebus hold revoke ${hold.id}); the next plan then asks again`;
  return new HoldError({ code: 'hold-not-open', message: `Hold ${hold.id} ${what}.` });
}

async function requireHold(p: { readonly tx: Transaction; readonly id: string }): Promise<Hold> {
  const hold = await readHold({ ...p, lock: true });
  if (hold !== null) return hold;
  throw new HoldError({
    code: 'hold-unknown',
    message: `There is no hold ${p.id}. skolebus hold list names those that wait.`,
  });
}

async function readHold(p: {
  readonly tx: Transaction;
  readonly id: string;
  readonly lock?: boolean;
}): Promise<Hold | null> {
  const rows = await p.tx.query<HoldRow & Record<string, unknown>>(
    `select * from hold where id::text = lower($1) ${p.lock === true ? 'for update' : ''}`,
    [p.id],
  );
  return (await toHolds({ tx: p.tx, rows }))[0] ?? null;
}

async function toHolds(p: {
  readonly tx: Transaction;
  readonly rows: readonly HoldRow[];
}): Promise<readonly Hold[]> {
  const named = new Set(p.rows.flatMap((row) => peopleIn(row.evidence)));
  const people = await p.tx.query<NamedPerson & Record<string, unknown>>(
    `select p.id, (select min(r.title) from resource r
                   where r.person_id = p.id and r.kind = 'account') as title
     from person p where p.id = any($1::uuid[])`,
    [[...named]],
  );
  const byId = new Map(people.map((person) => [person.id, person]));
  return p.rows.map((row) => toHold({ row, people: byId }));
}

function toHold(p: {
  readonly row: HoldRow;
  readonly people: ReadonlyMap<string, NamedPerson>;
}): Hold {
  const { row } = p;
  const { evidence } = row;
  const text = (name: string, otherwise: string) =>
    typeof evidence[name] === 'string' ? evidence[name] : otherwise;
  const number = (name: string) => (typeof evidence[name] === 'number' ? evidence[name] : 1);
  const people = peopleIn(evidence).flatMap((id) => p.people.get(id) ?? []);
  return {
    id: row.id,
    code: row.code,
    institution: row.institution,
    target: text('target', '*'),
    kind: text('kind', 'account'),
    action: text('action', 'create'),
    count: number('count'),
    of: number('of'),
    subject: row.subject,
    why: whyHeld(row.code),
    evidence,
    choices: choicesFor({ code: row.code, people }),
    openedAt: row.opened_at,
    seenAt: row.seen_at,
    state: row.state,
    decision: toDecision(row),
  };
}

function toDecision(row: HoldRow): HoldDecision | null {
  if (row.choice === null || row.scope === null || row.decided_at === null) return null;
  return {
    choice: row.choice,
    scope: row.scope,
    until: row.until,
    by: row.decided_by,
    at: row.decided_at,
    spentAt: row.spent_at,
  };
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Every id of a person anywhere in the evidence; ids of other things are no person's. */
function peopleIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return uuid.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return [...new Set(Object.values(value).flatMap(peopleIn))].sort();
}

export type HoldErrorCode =
  | 'hold-unknown'
  | 'hold-not-open'
  | 'hold-not-decided'
  | 'choice-unknown'
  | 'until-invalid';

export class HoldError extends Error {
  override readonly name = 'HoldError';
  readonly code: HoldErrorCode;

  constructor(p: { readonly code: HoldErrorCode; readonly message: string }) {
    super(p.message);
    this.code = p.code;
  }
}
