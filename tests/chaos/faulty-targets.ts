import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { commitPlan } from '../../provisioning/ledger/commit.ts';
import { countCauses, readProgress } from '../../provisioning/ledger/progress.ts';
import { retryFailed } from '../../provisioning/ledger/settle.ts';
import { openDatabase } from '../../provisioning/store/database.ts';
import type { Connector } from '../../provisioning/target/contract.ts';
import { connectSandbox } from '../../services/connectors.ts';
import { typesOfTargets } from '../../services/context.ts';
import { generate } from '../../services/generator/generate.ts';
import { prepareTargets } from '../../services/prepare.ts';
import { openSandbox } from '../../services/sandbox/sandbox.ts';
import { drainTarget } from '../../services/worker/drain.ts';
import { openGate } from '../../services/worker/gate.ts';
import { hasten, openHastyClock } from '../support/hasty-clock.ts';
import { planFeedDay } from '../support/municipality.ts';
import { inspectTargets } from './inspect-targets.ts';

export interface FaultyReport {
  readonly resources: number;
  /** Rows that are not right in the end. */
  readonly wrong: number;
  /** Things that stand twice in a target. */
  readonly doubled: number;
  /** Accounts that lack their name, e-mail or groups. */
  readonly halfMade: number;
  readonly struck: Readonly<Record<string, number>>;
  /** Codes under which rows waited or failed on the way. */
  readonly causes: readonly string[];
  readonly seconds: number;
}

/**
 * A first load of a made-up municipality into the three stand-ins while every recorded misbehaviour
 * happens at a rate, until nothing is due any more. What a target refused for good because of a fault
 * is put back to work once, as an operator would.
 */
export async function loadFaultyTargets(p: {
  readonly databaseUrl: string;
  readonly schools: number;
  readonly people: number;
  readonly rate: number;
  readonly seed: number;
}): Promise<FaultyReport> {
  const dir = mkdtempSync(join(tmpdir(), 'skolebus-faulty-'));
  const started = Date.now();
  const tenant = 'kommune';
  const causes = new Set<string>();
  await using database = openDatabase({ url: p.databaseUrl });
  // A folder, so that Moodle has the sign-in plugin of the default policy.
  await using sandbox = await openSandbox({ dir: join(dir, 'sandbox'), faults: p });
  const clock = openHastyClock();
  const connectors = connectSandbox(sandbox.addresses, clock);
  try {
    await generate({ out: join(dir, 'feed'), seed: p.seed, schools: p.schools, people: p.people });
    await database.addTenant({ id: tenant, name: tenant });
    const targets = typesOfTargets(connectors);
    const feed = join(dir, 'feed');
    const plan = await planFeedDay({ database, tenant, targets, feed, day: 'day1' });
    await commitPlan({ database, tenant, planId: plan.id, now: new Date() });
    for (let round = 0; round < 20; round += 1) {
      await prepareTargets({ connectors: connectors.values(), onTrouble: () => {} });
      await Promise.all(
        [...connectors.values()].map((one) =>
          drainFully({ database, tenant, connector: hasten({ connector: one, clock }), causes }),
        ),
      );
      if ((await retryFailed({ database, tenant, target: null, kind: null })) === 0) break;
    }
    sandbox.calm();
    const rows = await readProgress({ database, tenant });
    const sum = (of: 'settled' | 'due' | 'failed') => rows.reduce((all, row) => all + row[of], 0);
    return {
      resources: sum('settled') + sum('due') + sum('failed'),
      wrong: sum('due') + sum('failed'),
      ...(await inspectTargets(connectors)),
      struck: sandbox.struck(),
      causes: [...causes].sort(),
      seconds: Math.round((Date.now() - started) / 1000),
    };
  } finally {
    for (const connector of connectors.values()) await connector[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Drains one target until nothing of it is due, hastening retries so that the run does not wait for them. */
async function drainFully(p: {
  readonly database: ReturnType<typeof openDatabase>;
  readonly tenant: string;
  readonly connector: Connector;
  readonly causes: Set<string>;
}): Promise<void> {
  const { database, tenant, connector, causes } = p;
  const target = connector.name;
  for (let turn = 0; turn < 3000; turn += 1) {
    await drainTarget({
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
    const open = (await countCauses({ database, tenant })).filter((one) => one.target === target);
    for (const { code } of open) if (code !== null) causes.add(code);
    const due = open.filter((one) => one.state === 'due');
    if (due.length === 0) return;
    await sleep(20);
    await database.as(tenant, (tx) =>
      tx.execute(
        `update resource set due_at = now() where target = $1 and state = 'due' and due_at > now()`,
        [target],
      ),
    );
  }
}
