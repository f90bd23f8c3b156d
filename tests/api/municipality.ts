import { randomUUID } from 'node:crypto';
import { planHash } from '../../provisioning/plan/guard.ts';
import type { Transaction } from '../../provisioning/store/database.ts';
import { openDatabase } from '../../provisioning/store/database.ts';
import { createTestDatabase } from '../support/database.ts';

export const tenant = 'kommune';

/** A migrated database with one tenant in it. */
export async function openMunicipality() {
  const test = await createTestDatabase();
  const database = openDatabase({ url: test.url });
  await database.addTenant({ id: tenant, name: 'Testkommune' });
  return {
    database,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await test[Symbol.asyncDispose]();
    },
  };
}

export async function addPlan(p: {
  readonly tx: Transaction;
  readonly state?: 'open' | 'committed' | 'superseded';
  readonly createdAt?: string;
  readonly held?: readonly unknown[];
}): Promise<string> {
  const id = randomUUID();
  const counts = { create: 2, update: 1, deactivate: 0, delete: 0 };
  await p.tx.execute(
    `insert into plan (tenant_id, id, state, hash, summary, created_at, committed_at)
     values ($1, $2, $3, $4, $5, coalesce($6::timestamptz, now()),
             case when $3 = 'committed' then now() end)`,
    [
      tenant,
      id,
      p.state ?? 'open',
      'ab'.repeat(32),
      JSON.stringify({ changes: { keycloak: { account: counts } }, held: p.held ?? [] }),
      p.createdAt ?? null,
    ],
  );
  return id;
}

/** Fills a plan with `count` accounts to create, turn by turn at two schools and two targets. */
export async function addChanges(p: {
  readonly tx: Transaction;
  readonly planId: string;
  readonly count: number;
}): Promise<void> {
  const rows = Array.from({ length: p.count }, (_, index) => ({
    tenant_id: tenant,
    plan_id: p.planId,
    seq: index + 1,
    target: index % 2 === 0 ? 'keycloak' : 'moodle',
    kind: index % 5 === 4 ? 'course' : 'account',
    key: `person:${index + 1}`,
    institution: index % 3 === 0 ? '101001' : '101002',
    title: index === 7 ? 'Åse Prøve' : `Elev ${index + 1}`,
    needs: [],
    action: index === 3 ? 'deactivate' : 'create',
    after: { username: `elev${index + 1}`, active: index !== 3 },
    not_before: index === 3 ? '2030-01-01T00:00:00Z' : null,
    reason:
      index === 5
        ? {
            code: 'moved',
            fields: [
              { field: 'groups', added: ['2.B'], removed: ['1.B'] },
              { field: 'grade', from: '1', to: '2' },
            ],
          }
        : { code: 'new', fields: [] },
    lane: 'sync',
    held: index === 3 ? 'limit-deactivate' : null,
  }));
  await p.tx.insert({
    table: 'change',
    columns: {
      tenant_id: 'text',
      plan_id: 'uuid',
      seq: 'integer',
      target: 'text',
      kind: 'text',
      key: 'text',
      institution: 'text',
      title: 'text',
      needs: 'text[]',
      action: 'text',
      after: 'jsonb',
      not_before: 'timestamptz',
      reason: 'jsonb',
      lane: 'text',
      held: 'text',
    },
    rows,
  });
  await p.tx.execute(`update plan set hash = ${planHash} where id = $1`, [p.planId]);
}

export async function addResource(p: {
  readonly tx: Transaction;
  readonly key: string;
  readonly state: 'due' | 'settled' | 'failed';
  readonly target?: string;
  readonly kind?: string;
}): Promise<void> {
  await p.tx.execute(
    `insert into resource (tenant_id, target, kind, key, title, desired, state, lane, failure, changed_at)
     values ($1, $2, $3, $4, 'Elev', '{"active":true}', $5, 'sync', $6, now() - interval '90 seconds')`,
    [
      tenant,
      p.target ?? 'keycloak',
      p.kind ?? 'account',
      p.key,
      p.state,
      p.state === 'failed' ? JSON.stringify({ code: 'name-taken', detail: 'Taken.' }) : null,
    ],
  );
}

export async function addSchool(p: {
  readonly tx: Transaction;
  readonly key: string;
  readonly name: string;
}): Promise<void> {
  await p.tx.execute(
    `insert into record (tenant_id, source, entity, key, institution, body, changed_by)
     values ($1, 'feed', 'institution', $2, $2, $3, gen_random_uuid())`,
    [
      tenant,
      p.key,
      JSON.stringify({ entity: 'institution', key: p.key, name: p.name, kind: 'school' }),
    ],
  );
}

export async function addSnapshot(p: {
  readonly tx: Transaction;
  readonly refused?: boolean;
}): Promise<void> {
  const counts = {
    institutions: 2,
    people: 40,
    affiliations: { pupil: 36, staff: 4, external: 0, guardian: 0 },
    groups: 2,
    memberships: 40,
    rejected: 1,
    changed: 40,
    gone: 0,
  };
  const diagnostic = {
    code: 'group-dangling',
    severity: 'warning',
    file: '101001.xml',
    line: 12,
    field: 'MainGroupId',
    message: 'The group does not exist in this institution.',
  };
  const refusal = { code: 'feed-truncated', message: 'It ends midway.', file: 'a.xml', line: null };
  await p.tx.execute(
    `insert into snapshot (tenant_id, source, format, state, counts, diagnostics, refusal, school_year)
     values ($1, 'feed', 'ws17', $2, $3, $4, $5, '2026-2027')`,
    [
      tenant,
      p.refused ? 'refused' : 'accepted',
      JSON.stringify(p.refused ? {} : counts),
      JSON.stringify(p.refused ? [] : [diagnostic, diagnostic]),
      p.refused ? JSON.stringify(refusal) : null,
    ],
  );
}
