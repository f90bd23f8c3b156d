import { readFile } from 'node:fs/promises';
import type { CommitReport } from '../../provisioning/ledger/commit.ts';
import { commitPlan, promoteDue } from '../../provisioning/ledger/commit.ts';
import type { Actor } from '../../provisioning/plan/guard.ts';
import type { PlanSummary } from '../../provisioning/plan/make.ts';
import { makePlan } from '../../provisioning/plan/make.ts';
import type { ChangeRow } from '../../provisioning/plan/read.ts';
import { listChanges } from '../../provisioning/plan/read.ts';
import type { Selection } from '../../provisioning/plan/selection.ts';
import type { UndoPlan } from '../../provisioning/plan/undo.ts';
import { planUndo } from '../../provisioning/plan/undo.ts';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import { acceptSnapshot } from '../../provisioning/roster/accept.ts';
import type { Database } from '../../provisioning/store/database.ts';
import { openDatabase } from '../../provisioning/store/database.ts';
import { drainTarget } from '../../services/worker/drain.ts';
import { decideGate, neverCalm, readConditions } from '../../services/worker/gate.ts';
import { createTestDatabase } from './database.ts';
import type { MemoryTarget } from './memory-target.ts';
import { openMemoryTarget } from './memory-target.ts';
import type { SmallRoster } from './roster.ts';
import { feedItems } from './roster.ts';

interface CommitCall {
  readonly planId: string;
  readonly now: Date;
  readonly selection?: Selection;
  readonly actor?: Actor;
  /** Whether what was overtaken is planned again. */
  readonly planned?: boolean;
}

interface Day {
  readonly roster: SmallRoster;
  readonly now: Date;
  readonly allowed?: readonly string[];
  /** `main` when left out. */
  readonly source?: string;
  /** Text of a policy for this day only. */
  readonly policy?: string;
  readonly occasion?: 'ordinary' | 'rollover';
}

/** The line from a snapshot to three targets in memory, on a real database and a day of the test's choice. */
export interface Line extends AsyncDisposable {
  readonly database: Database;
  readonly tenant: string;
  readonly targets: Readonly<Record<'keycloak' | 'nextcloud' | 'moodle', MemoryTarget>>;
  /** A second Moodle, for lines that are opened with one. */
  readonly second: MemoryTarget | null;
  /** Accepts the roster, plans and commits. */
  day(
    p: Day & {
      /** What happens between the plan and its commit. */
      readonly between?: () => Promise<void>;
    },
  ): Promise<{ readonly plan: PlanSummary; readonly commit: CommitReport }>;
  /** The same, up to the plan. */
  plan(p: Day): Promise<PlanSummary>;
  commit(p: CommitCall): Promise<CommitReport>;
  undo(p: { readonly planId: string; readonly now: Date }): Promise<UndoPlan>;
  changes(planId: string): Promise<readonly ChangeRow[]>;
  promote(now: Date): Promise<void>;
  /** Drains all targets as far as it goes without waiting for retries. */
  drain(): Promise<void>;
}

const defaultPolicy = new URL('../../provisioning/policy/default.yaml', import.meta.url);

/**
 * @param p.policy text in the place of the default policy
 * @param p.secondMoodle name of another Moodle beside the one called `moodle`
 */
export async function openLine(
  p: { readonly policy?: string; readonly secondMoodle?: string } = {},
): Promise<Line> {
  const server = await createTestDatabase();
  const database = openDatabase({ url: server.url });
  const tenant = 'kommune';
  await database.addTenant({ id: tenant, name: 'Prøvekommune' });
  const text = p.policy ?? (await readFile(defaultPolicy, 'utf8'));
  const policy = parsePolicy({ text, file: 'policy.yaml' });
  const targets = {
    keycloak: openMemoryTarget({ name: 'keycloak', type: 'keycloak' }),
    nextcloud: openMemoryTarget({ name: 'nextcloud', type: 'nextcloud' }),
    moodle: openMemoryTarget({ name: 'moodle', type: 'moodle' }),
  };
  const second =
    p.secondMoodle === undefined
      ? null
      : openMemoryTarget({ name: p.secondMoodle, type: 'moodle' });
  const all = [...Object.values(targets), ...(second === null ? [] : [second])];
  const types = new Map(all.map((one) => [one.name, one.type]));
  const base = { database, tenant };

  async function planDay({
    roster,
    now,
    allowed,
    source = 'main',
    policy: ofDay,
    occasion = 'ordinary',
  }: Parameters<Line['plan']>[0]) {
    await promoteDue({ ...base, now });
    const items = feedItems(roster);
    const snapshot = await acceptSnapshot({ ...base, source, items, now });
    const { id: snapshotId, schoolYear } = snapshot;
    const rules = ofDay === undefined ? policy : parsePolicy({ text: ofDay, file: 'policy.yaml' });
    const plan = { ...base, policy: rules, targets: types, snapshotId, schoolYear, occasion, now };
    return makePlan({ ...plan, allowed: new Set(allowed) });
  }

  return {
    database,
    tenant,
    targets,
    second,
    plan: planDay,
    async day({ between, ...day }) {
      const plan = await planDay(day);
      await between?.();
      return { plan, commit: await commitPlan({ ...base, planId: plan.id, now: day.now }) };
    },
    commit: ({ planned = false, ...call }) =>
      commitPlan({ ...base, ...call, ...(planned ? { rules: { policy, targets: types } } : {}) }),
    undo: (call) => planUndo({ ...base, policy, targets: types, ...call }),
    changes: (planId) =>
      listChanges({ database, tenant, planId, filter: {}, after: 0, limit: 10_000 }),
    async promote(now) {
      await promoteDue({ database, tenant, now });
    },
    async drain() {
      for (const connector of all) {
        for (;;) {
          const report = await drainTarget({
            lane: 'bulk',
            turnMs: 2000,
            gate: async () => {
              const conditions = await readConditions({ database, tenant });
              return decideGate({ conditions, target: connector.name, calmOf: neverCalm });
            },
            database,
            tenant,
            connector,
            onError: (error) => {
              throw error;
            },
          });
          if (report === null || !report.more) break;
        }
      }
    },
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** All changes of a plan, over targets, kinds and actions; held ones are not among them. */
export function countPlanned(plan: PlanSummary): number {
  return Object.values(plan.changes)
    .flatMap((kinds) => Object.values(kinds))
    .flatMap((actions) => Object.values(actions))
    .reduce((sum, n) => sum + n, 0);
}
