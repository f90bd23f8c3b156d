import type { Body, ResourceKind } from '../policy/resource.ts';
import type { Database, Transaction } from '../store/database.ts';
import type { Claim } from './claim.ts';
import type { Outcome, Work } from './work.ts';

/** Longest wait between two tries of a row, in seconds. */
const longestWaitSeconds = 900;

export interface SettleReport {
  readonly applied: number;
  readonly failed: number;
  readonly waiting: number;
  /** Rows whose lease had gone to another worker: they are done once more, since both have written. */
  readonly overtaken: number;
}

/**
 * Writes what came of a claim into the ledger, row by row. What was applied is recorded as the state
 * that was claimed, not the one that is desired by now: a row that was changed meanwhile stays due.
 */
export async function settleWork(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly target: string;
  readonly claim: Claim;
  readonly outcomes: readonly Outcome[];
  /** 0 up to 1; full jitter keeps retries of one outage apart. */
  readonly random: () => number;
}): Promise<SettleReport> {
  const batch = p.claim.rows;
  const settled = batch.map((work, index) => {
    const outcome = p.outcomes[index] ?? missing;
    return { work, outcome, ...toColumns({ work, outcome, random: p.random }) };
  });
  const kind = batch[0]?.kind;
  const own = await p.database.as(p.tenant, async (tx) => {
    const touched = await tx.execute(
      `with outcome as (
         select * from jsonb_to_recordset($3::jsonb) as x(key text, ok boolean, confirmed boolean,
           claimed jsonb, applied jsonb, external_id text, start_again uuid, wait_seconds double precision, failed boolean, failure jsonb))
       update resource r set
         leased_until = null,
         claim = null,
         unanswered = 0,
         applied = case when o.confirmed then o.applied else r.applied end,
         start_again = case when o.confirmed and r.start_again = o.start_again then null else r.start_again end,
         tried = case when o.confirmed then '[]' else r.tried end,
         external_id = case when o.confirmed then coalesce(o.external_id, r.external_id) else r.external_id end,
         attempts = case when o.ok then 0 else r.attempts end,
         failure = o.failure,
         tried_at = now(),
         settled_at = case when o.confirmed then now() else r.settled_at end,
         state = case when r.desired is distinct from o.claimed
                        or r.start_again is distinct from o.start_again then 'due'
                      when o.ok then 'settled' when o.failed then 'failed' else 'due' end,
         due_at = case when r.desired is distinct from o.claimed
                         or r.start_again is distinct from o.start_again then now()
                       else now() + make_interval(secs => o.wait_seconds) end
       from outcome o where r.target = $1 and r.kind = $2 and r.key = o.key and r.claim = $4`,
      [p.target, kind, JSON.stringify(settled.map((s) => s.columns)), p.claim.id],
    );
    if (touched < batch.length) await doOvertakenAgain({ ...p, tx });
    // A deleted resource leaves the ledger; what was done stays in the plan's changes.
    await tx.execute(
      `delete from resource where target = $1 and kind = $2 and key = any($3)
         and desired is null and state = 'settled'`,
      [p.target, kind, batch.filter((w) => w.desired === null).map((w) => w.key)],
    );
    // Not by its external id: an adopted account has that before it is applied for the first time.
    const arrived = settled.some((s) => s.outcome.state === 'applied' && s.work.applied === null);
    if (kind === 'account' && arrived) {
      // Courses and cohorts that left these people out need not wait for their next try.
      await tx.execute(
        `update resource set due_at = now() where target = $1 and state = 'due'
           and failure->>'code' = 'waits-for-accounts' and due_at > now()`,
        [p.target],
      );
    }
    return touched;
  });
  return {
    applied: settled.filter((s) => s.columns.ok).length,
    failed: settled.filter((s) => s.columns.failed).length,
    waiting: settled.filter((s) => !s.columns.ok && !s.columns.failed).length,
    overtaken: batch.length - own,
  };
}

/**
 * A worker that was stopped for longer than its lease (a suspended machine, a cut connection) writes what
 * it had claimed while another one has the row, or is done with it. Where both wanted the same, no harm is
 * done. Otherwise nobody knows which of the two wrote last, and the row is done once more, with both
 * states to take back; taking the claim off it makes the other worker's answer count as overtaken too.
 */
async function doOvertakenAgain(p: {
  readonly tx: Transaction;
  readonly target: string;
  readonly claim: Claim;
}): Promise<void> {
  const rows = p.claim.rows.map(({ key, desired }) => ({ key, desired }));
  await p.tx.execute(
    `update resource r set state = 'due', due_at = now(), attempts = r.attempts + 1,
            applied = null, claim = null,
            leased_until = case when r.claim is null then null else r.leased_until end,
            tried = r.tried || jsonb_path_query_array(
              jsonb_build_array(r.applied, o.desired), '$[*] ? (@ != null)')
     from jsonb_to_recordset($3::jsonb) as o(key text, desired jsonb)
     where r.target = $1 and r.kind = $2 and r.key = o.key and r.claim is distinct from $4
       and r.settled_at is distinct from now()
       and r.desired is not null and r.desired is distinct from nullif(o.desired, 'null')`,
    [p.target, p.claim.rows[0]?.kind, JSON.stringify(rows), p.claim.id],
  );
}

/** A connector that answers for fewer rows than it was given has a defect; no row is lost by it. */
const missing: Outcome = {
  state: 'retry',
  afterMs: 0,
  code: 'no-outcome',
  detail: 'The connector gave no outcome for this row.',
};

function toColumns(p: {
  readonly work: Work;
  readonly outcome: Outcome;
  readonly random: () => number;
}) {
  const { work, outcome } = p;
  const base = {
    key: work.key,
    ok: false,
    confirmed: false,
    claimed: work.desired,
    applied: null as Body | null,
    external_id: null as string | null,
    start_again: work.startAgain ?? null,
    wait_seconds: 0,
    failed: false,
    failure: null as { code: string; detail: string; outage?: true } | null,
  };
  switch (outcome.state) {
    case 'applied': {
      const left = outcome.incomplete ?? [];
      const applied = work.desired === null ? null : withoutAccounts(work.desired, left);
      const confirmed = { ...base, confirmed: true, applied, external_id: outcome.externalId };
      if (left.length === 0) return { columns: { ...confirmed, ok: true } };
      return {
        columns: {
          ...confirmed,
          wait_seconds: waitSeconds(p),
          failure: {
            code: 'waits-for-accounts',
            detail: `${left.length} of its people have no account here yet.`,
          },
        },
      };
    }
    case 'retry':
      return {
        columns: {
          ...base,
          wait_seconds: Math.max(outcome.afterMs / 1000, waitSeconds(p)),
          failure: { code: outcome.code, detail: outcome.detail },
        },
      };
    case 'rejected':
      return {
        columns: { ...base, failed: true, failure: { code: outcome.code, detail: outcome.detail } },
      };
    case 'unknown-host':
      return {
        columns: {
          ...base,
          failure: { code: outcome.code, detail: outcome.detail, outage: true },
        },
      };
  }
}

/** Exponential back-off with full jitter: up to 1, 2, 4 ... seconds, never more than 15 minutes. */
function waitSeconds(p: { readonly work: Work; readonly random: () => number }): number {
  return Math.min(longestWaitSeconds, 2 ** Math.min(p.work.attempts, 10)) * p.random();
}

/** What was really written when some people had to be left out, wherever a body names people. */
function withoutAccounts(body: Body, keys: readonly string[]): Body {
  if (keys.length === 0) return body;
  const left = new Set(keys);
  const without = <T>(people: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
    Object.fromEntries(Object.entries(people).filter(([key]) => !left.has(key)));
  if ('enrolments' in body) {
    const { groups, ...course } = body;
    const kept = { ...course, enrolments: without(body.enrolments) };
    if (groups === undefined) return kept;
    const present = Object.entries(groups).map(([name, members]) => [
      name,
      members.filter((key) => !left.has(key)),
    ]);
    return { ...kept, groups: Object.fromEntries(present) };
  }
  if ('members' in body) return { ...body, members: body.members.filter((key) => !left.has(key)) };
  if ('roles' in body && body.roles !== undefined) return { ...body, roles: without(body.roles) };
  return body;
}

/** Puts rows that the target refused back to work: after the cause was mended there, or by hand. */
export async function retryFailed(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly target: string | null;
  readonly kind: ResourceKind | null;
}): Promise<number> {
  return p.database.as(p.tenant, (tx) =>
    tx.execute(
      `update resource set state = 'due', due_at = now(), failure = null
       where state = 'failed' and ($1::text is null or target = $1) and ($2::text is null or kind = $2)`,
      [p.target, p.kind],
    ),
  );
}
