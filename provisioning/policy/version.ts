/** The versions of a tenant's policy: the latest that was put into force is the one that counts. */
import { createHash } from 'node:crypto';
import type { Database, Transaction } from '../store/database.ts';
import type { Policy } from './schema.ts';
import { PolicyFile } from './schema.ts';

/** A policy as somebody wrote it, and what it means. */
export interface NewPolicyVersion {
  readonly text: string;
  readonly policy: Policy;
  readonly by: string;
}

export interface PolicyVersion {
  readonly version: number;
  readonly text: string;
  /** SHA-256 over the meaning, hex. */
  readonly hash: string;
  readonly madeAt: Date;
  readonly madeBy: string;
  /** Null: previewed and not applied. */
  readonly inForceAt: Date | null;
  /** The plan that previewed it; null for a change of comments or form. */
  readonly plan: string | null;
  readonly state: 'in-force' | 'past' | 'previewed';
}

export interface PolicyInForce {
  readonly version: number;
  readonly text: string;
  readonly policy: Policy;
}

interface Place {
  readonly database: Database;
  readonly tenant: string;
}

/** Null before the first commit: then nothing stands in any target by any policy. */
export async function readPolicyInForce(p: Place): Promise<PolicyInForce | null> {
  return readOne({ ...p, where: 'in_force_at is not null' });
}

/** The one in force, or before the first commit the one that was previewed. */
export async function readPolicyOrPreview(p: Place): Promise<PolicyInForce | null> {
  return readOne({ ...p, where: 'true' });
}

async function readOne(p: Place & { readonly where: string }): Promise<PolicyInForce | null> {
  const [row] = await p.database.as(p.tenant, (tx) =>
    tx.query<{ version: number; text: string; policy: unknown }>(
      `select version, text, policy from policy_version where ${p.where}
       order by in_force_at desc nulls last, version desc limit 1`,
    ),
  );
  // What later versions of Skolebus have added is filled in by its default.
  return row === undefined ? null : { ...row, policy: PolicyFile.parse(row.policy) };
}

/** Newest first. */
export async function listPolicyVersions(p: Place): Promise<readonly PolicyVersion[]> {
  return p.database.as(p.tenant, (tx) =>
    tx.query<PolicyVersion & Record<string, unknown>>(
      `select version, text, hash, made_at as "madeAt", made_by as "madeBy",
              in_force_at as "inForceAt", plan_id as plan,
              case when in_force_at is null then 'previewed'
                   when version = (select version from policy_version where in_force_at is not null
                                   order by in_force_at desc, version desc limit 1) then 'in-force'
                   else 'past' end as state
       from policy_version order by version desc`,
    ),
  );
}

/** Takes in another text of the same meaning: comments and form need nobody's approval. */
export async function rewordPolicy(p: Place & { readonly found: NewPolicyVersion }): Promise<void> {
  await p.database.as(p.tenant, (tx) => insertVersion({ tx, ...p.found, planId: null }));
}

/** The version that the plan's commit puts into force. */
export async function addPreview(
  p: NewPolicyVersion & { readonly tx: Transaction; readonly planId: string },
): Promise<void> {
  await insertVersion(p);
  // Names that this preview gave; now() is the time of the transaction.
  await p.tx.execute('update username set preview = $1 where given_at = now()', [p.planId]);
}

/** The policy that a plan previews; null: it is no preview. */
export async function readPreview(p: {
  readonly tx: Transaction;
  readonly planId: string;
}): Promise<Policy | null> {
  const [row] = await p.tx.query<{ policy: unknown }>(
    'select policy from policy_version where plan_id = $1 and in_force_at is null',
    [p.planId],
  );
  return row === undefined ? null : PolicyFile.parse(row.policy);
}

/** Previews die with their plan, and the usernames that only they gave are free again. */
export async function forgetPreviews(tx: Transaction): Promise<void> {
  await tx.execute('delete from policy_version where in_force_at is null');
  await tx.execute(
    `delete from username u where u.preview is not null
       and not exists (select from resource r where r.person_id = u.person_id)`,
  );
}

/** Nothing for a plan that is no preview; else the policy takes effect with what it changes. */
export async function putIntoForce(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly now: Date;
}): Promise<void> {
  const { tx } = p;
  await tx.execute(
    `update username u set preview = null where u.preview is not null
       and exists (select from resource r where r.person_id = u.person_id)`,
  );
  const put = await tx.execute(
    `update policy_version set in_force_at = greatest($2, (select max(in_force_at) from policy_version))
     where plan_id = $1 and in_force_at is null`,
    [p.planId, p.now],
  );
  if (put === 0) return;
  await tx.execute(
    `update resource r set title = c.title, institution = c.institution, needs = c.needs
     from change c where c.plan_id = $1 and c.outcome = 'committed'
       and r.target = c.target and r.kind = c.kind and r.key = c.key`,
    [p.planId],
  );
}

async function insertVersion(
  p: NewPolicyVersion & { readonly tx: Transaction; readonly planId: string | null },
): Promise<void> {
  await p.tx.execute(
    `insert into policy_version (tenant_id, version, text, policy, hash, made_by, plan_id, in_force_at)
     select $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6::uuid,
            case when $6::uuid is null then now() end
     from policy_version`,
    [p.tx.tenant, p.text, JSON.stringify(p.policy), hashPolicy(p.policy), p.by, p.planId],
  );
}

export function isSamePolicy(a: Policy, b: Policy): boolean {
  return hashPolicy(a) === hashPolicy(b);
}

/** Over the meaning: the order of settings does not count, that of lists does. */
function hashPolicy(policy: Policy): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(policy)))
    .digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  );
}
