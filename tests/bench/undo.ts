/**
 * `npm run -s bench -- undo [people]`: an ordinary day and a change of the size of a rollover (new groups
 * everywhere, the old ones shut) of a whole municipality are applied to the three stand-ins and turned
 * back. Tells, as one JSON line, in how many things the servers then differ from what they held before;
 * what a plan had created and is shut now is counted apart (`shut`), and so are the accounts of people who
 * are protected by now (`hidden`).
 */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SyncReport } from '../../provisioning/sync.ts';
import { sync } from '../../provisioning/sync.ts';
import { undo } from '../../provisioning/undo.ts';
import { openVoice } from '../../services/cli/output.ts';
import { applyLedger } from '../../services/cli/sync.ts';
import type { Context } from '../../services/context.ts';
import { openContext, typesOfTargets } from '../../services/context.ts';
import { readEnvironment } from '../../services/env.ts';
import { generate } from '../../services/generator/generate.ts';
import { prepareTargets } from '../../services/prepare.ts';
import { compareWhole, isShut, observeWhole } from '../undo/whole.ts';

const people = Number(process.argv[2] ?? 3000);
const voice = openVoice({ json: true });
const { signal } = new AbortController();

async function syncAll(p: {
  readonly context: Context;
  readonly path: string;
}): Promise<SyncReport> {
  const files = readdirSync(p.path).map((name) => name.replace('.xml', ''));
  const report = await sync({
    ...p.context,
    source: 'main',
    identityKey: null,
    feed: { format: 'ws17', path: p.path },
    targets: typesOfTargets(p.context.connectors),
    allowed: new Set([...files, '*']),
    commit: true,
    now: new Date(),
  });
  await applyAll({ context: p.context, expected: report.commit?.committed ?? 0 });
  return report;
}

async function applyAll(p: {
  readonly context: Context;
  readonly expected: number;
}): Promise<void> {
  const { failed, waiting } = await applyLedger({ ...p, voice, signal });
  if (failed + waiting > 0) throw new Error(`${failed} failed, ${waiting} wait`);
}

/** Applies what another feed brings, turns it back, and compares the servers before and after. */
async function turnBack(p: { readonly context: Context; readonly path: string }) {
  const { context } = p;
  const was = await observeWhole(context.connectors);
  const { plan, commit } = await syncAll(p);
  const started = performance.now();
  const undone = await undo({
    ...context,
    targets: typesOfTargets(context.connectors),
    planId: plan.id,
    actor: { id: 'bench', name: 'bench' },
    commit: true,
    now: new Date(),
  });
  await applyAll({ context, expected: undone.commit?.committed ?? 0 });
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  const found = compareWhole({ was, is: await observeWhole(context.connectors) });
  const hidden = await findHidden(context);
  const kept = found.filter(({ at }) => hidden.has(at));
  const others = found.filter(({ at }) => !hidden.has(at));
  const odd = others.filter((one) => one.was !== null || one.is === null || !isShut(one.is));
  for (const { at, was: before, is } of odd.slice(0, 10)) {
    voice.say(`${at}\n  was ${JSON.stringify(before?.body)}\n  is  ${JSON.stringify(is?.body)}`);
  }
  return {
    changes: commit?.committed ?? 0,
    undone: undone.commit?.committed ?? 0,
    cannot: undone.plan.cannot.reduce((sum, { count }) => sum + count, 0),
    hidden: kept.length,
    shut: others.length - odd.length,
    differences: odd.length,
    seconds,
  };
}

/** Accounts of protected people: what stood there before may not come back. */
async function findHidden({ database, tenant }: Context): Promise<ReadonlySet<string>> {
  const rows = await database.as(tenant, (tx) =>
    tx.query<{ at: string }>(
      `select r.target || ' ' || r.kind || '/' || r.external_id as at
       from resource r join recognition g on g.person_id = r.person_id
       join record p on p.source = g.source and p.entity = 'person' and p.key = g.record_key
       where (p.body->>'protected')::boolean`,
    ),
  );
  return new Set(rows.map((row) => row.at));
}

/** The first day as a new school year would have it: every group under a new id and name. */
function writeRollover(p: { readonly from: string; readonly to: string }): void {
  mkdirSync(p.to);
  for (const name of readdirSync(p.from)) {
    const text = readFileSync(join(p.from, name), 'utf8')
      .replaceAll(/(<c:(?:Main)?GroupId>)G/g, '$1N')
      .replaceAll('<c:GroupName>', '<c:GroupName>Ny ');
    writeFileSync(join(p.to, name), text);
  }
}

const dir = mkdtempSync(join(tmpdir(), 'skolebus-undo-'));
try {
  const home = join(dir, 'home');
  mkdirSync(home);
  writeFileSync(
    join(home, 'policy.yaml'),
    'version: 1\nlifecycle: { graceDays: { pupil: 0, staff: 0, external: 0, guardian: 0 } }\n',
  );
  await generate({ out: join(dir, 'feed'), seed: 1, schools: 6, people });
  const first = join(dir, 'feed/day1/ws17');
  writeRollover({ from: first, to: join(dir, 'rollover') });
  await using context = await openContext({
    home,
    environment: { ...readEnvironment(), databaseUrl: null, redisUrl: null },
  });
  await prepareTargets({ connectors: context.connectors.values(), onTrouble: voice.say });
  await syncAll({ context, path: first });
  const day = await turnBack({ context, path: join(dir, 'feed/day2/ws17') });
  const rollover = await turnBack({ context, path: join(dir, 'rollover') });
  process.stdout.write(`${JSON.stringify({ people, ...rollover, day })}\n`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
