import { readFile } from 'node:fs/promises';
import { adopt } from '../../provisioning/adopt.ts';
import type { DriftResult } from '../../provisioning/drift.ts';
import { findDrift } from '../../provisioning/drift.ts';
import { commitPlan } from '../../provisioning/ledger/commit.ts';
import type { PlanSummary } from '../../provisioning/plan/make.ts';
import { makePlan } from '../../provisioning/plan/make.ts';
import type { ChangeRow } from '../../provisioning/plan/read.ts';
import { listChanges } from '../../provisioning/plan/read.ts';
import type { UndoPlan } from '../../provisioning/plan/undo.ts';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import type { ResourceKind } from '../../provisioning/policy/resource.ts';
import { acceptSnapshot } from '../../provisioning/roster/accept.ts';
import type { Database } from '../../provisioning/store/database.ts';
import { openDatabase } from '../../provisioning/store/database.ts';
import type { Connector, Observed } from '../../provisioning/target/contract.ts';
import { undo } from '../../provisioning/undo.ts';
import { connectSandbox } from '../../services/connectors.ts';
import { typesOfTargets } from '../../services/context.ts';
import type { Sandbox, SandboxAddresses } from '../../services/sandbox/sandbox.ts';
import { openSandbox } from '../../services/sandbox/sandbox.ts';
import { drainTarget } from '../../services/worker/drain.ts';
import { openGate } from '../../services/worker/gate.ts';
import { createTestDatabase } from '../support/database.ts';
import type { SmallRoster } from '../support/roster.ts';
import { feedItems } from '../support/roster.ts';

export type TargetName = 'keycloak' | 'nextcloud' | 'moodle';

/** A municipality with a real ledger and the three stand-ins. */
export interface Town extends AsyncDisposable {
  readonly database: Database;
  readonly tenant: string;
  readonly addresses: SandboxAddresses;
  readonly connectors: ReadonlyMap<string, Connector>;
  /** Reads the roster and plans; with `commit` commits and applies. */
  sync(p: {
    readonly roster: SmallRoster;
    readonly commit: boolean;
    readonly allowed?: readonly string[];
  }): Promise<PlanSummary>;
  /** Turns a committed plan back; with `commit` commits and applies it. */
  undo(p: { readonly planId: string; readonly commit: boolean }): Promise<UndoPlan>;
  adopt(p: {
    readonly target: TargetName;
    readonly kind?: ResourceKind;
    readonly commit: boolean;
  }): Promise<PlanSummary | null>;
  drift(p?: {
    readonly reportOnly?: boolean;
    readonly allowed?: readonly string[];
    readonly policy?: string;
  }): Promise<DriftResult>;
  /** Works off what is due, as far as it goes without waiting. */
  drain(): Promise<void>;
  changes(planId: string): Promise<readonly ChangeRow[]>;
  observe(target: TargetName, kind: ResourceKind): Promise<readonly Observed[]>;
  /** Rows of the ledger that are not settled, as `target kind/key code`. */
  unsettled(): Promise<readonly string[]>;
}

const defaultPolicy = new URL('../../provisioning/policy/default.yaml', import.meta.url);

/** Three stand-ins; the Moodle with the sign-in plugin that the default policy names. */
async function startSandbox(): Promise<Sandbox> {
  const sandbox = await openSandbox({ dir: null });
  await fetch(`${sandbox.addresses.moodle.url}/__sandbox/administration`, {
    method: 'POST',
    body: JSON.stringify({ do: 'install-auth', name: 'oidc' }),
  });
  return sandbox;
}

function addressesOf(sandbox: Sandbox | null): SandboxAddresses {
  if (sandbox === null) throw new Error('This town has servers of its own.');
  return sandbox.addresses;
}

/**
 * @param p.policy text in the place of the default policy
 * @param p.connectors servers in the place of the stand-ins
 */
export async function openTown(
  p: { readonly policy?: string; readonly connectors?: ReadonlyMap<string, Connector> } = {},
): Promise<Town> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await createTestDatabase());
  const database = stack.use(openDatabase({ url: server.url }));
  const tenant = 'kommune';
  await database.addTenant({ id: tenant, name: 'Prøvekommune' });
  const text = p.policy ?? (await readFile(defaultPolicy, 'utf8'));
  const policy = parsePolicy({ text, file: 'policy.yaml' });
  const sandbox = p.connectors === undefined ? stack.use(await startSandbox()) : null;
  const connectors = p.connectors ?? connectSandbox(addressesOf(sandbox));
  for (const connector of connectors.values()) {
    stack.use(connector);
    await connector.prepare();
  }
  const base = { database, tenant, policy, targets: typesOfTargets(connectors) };
  const connectorOf = (target: TargetName): Connector => {
    const connector = connectors.get(target);
    if (connector === undefined) throw new Error(`no target ${target}`);
    return connector;
  };
  const open = stack.move();

  async function drain(): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      for (const connector of connectors.values()) {
        let more = true;
        while (more) {
          const report = await drainTarget({
            lane: 'bulk',
            turnMs: 2000,
            gate: async () => openGate,
            database,
            tenant,
            connector,
            onError: (error) => {
              throw error;
            },
          });
          more = report?.more === true;
        }
      }
    }
  }

  return {
    database,
    tenant,
    get addresses() {
      return addressesOf(sandbox);
    },
    connectors,
    async undo({ planId, commit }) {
      const actor = { id: 'lone', name: 'Lone' };
      const { plan } = await undo({ ...base, planId, actor, commit, now: new Date() });
      if (commit) await drain();
      return plan;
    },
    async sync({ roster, commit, allowed = [] }) {
      const now = new Date();
      const items = feedItems(roster);
      const snapshot = await acceptSnapshot({ database, tenant, source: 'main', items, now });
      const plan = await makePlan({
        ...base,
        snapshotId: snapshot.id,
        schoolYear: snapshot.schoolYear,
        allowed: new Set(allowed),
        now,
      });
      if (!commit) return plan;
      await commitPlan({ database, tenant, planId: plan.id, now });
      await drain();
      return plan;
    },
    async adopt({ target, kind, commit }) {
      const connector = connectorOf(target);
      const asked = { kind: kind ?? null, commit, now: new Date() };
      const { plan } = await adopt({ ...base, connector, ...asked });
      if (commit) await drain();
      return plan;
    },
    async drift({ reportOnly = false, allowed = [], policy: other } = {}) {
      const result = await findDrift({
        ...base,
        policy: other === undefined ? policy : parsePolicy({ text: other, file: 'other.yaml' }),
        connectors: [...connectors.values()],
        allowed: new Set(allowed),
        reportOnly,
        now: new Date(),
      });
      if (!reportOnly) await drain();
      return result;
    },
    drain,
    changes: (planId) =>
      listChanges({ database, tenant, planId, filter: {}, after: 0, limit: 10_000 }),
    async observe(target, kind) {
      const all: Observed[] = [];
      for await (const one of connectorOf(target).observe({ kind })) all.push(one);
      return all;
    },
    async unsettled() {
      const rows = await database.as(tenant, (tx) =>
        tx.query<{ line: string }>(
          `select target || ' ' || ref || ' ' || coalesce(failure->>'code', state) as line
           from resource where state <> 'settled' order by 1`,
        ),
      );
      return rows.map((row) => row.line);
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
