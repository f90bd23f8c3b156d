import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { liftBrake, setBrake } from '../../provisioning/ledger/brake.ts';
import { claimWork, wholeLanes } from '../../provisioning/ledger/claim.ts';
import { countCauses } from '../../provisioning/ledger/progress.ts';
import { settleWork } from '../../provisioning/ledger/settle.ts';
import { lanes } from '../../provisioning/policy/lane.ts';
import { kindOrder } from '../../provisioning/policy/resource.ts';
import { drainTarget } from '../../services/worker/drain.ts';
import { decideGate, neverCalm, openGate, readConditions } from '../../services/worker/gate.ts';
import type { Line } from '../support/line.ts';
import { openLine } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';

const monday = new Date('2026-11-02T05:00:00Z');
const roster = smallRoster({ pupils: 5 });
let line: Line;

beforeEach(async () => {
  line = await openLine();
});

afterEach(async () => {
  await line[Symbol.asyncDispose]();
});

function sql(text: string, values: readonly unknown[] = []): Promise<number> {
  return line.database.as(line.tenant, (tx) => tx.execute(text, values));
}

async function due(target: string): Promise<number> {
  const [row] = await line.database.as(line.tenant, (tx) =>
    tx.query<{ n: number }>(
      `select count(*)::int as n from resource where target = $1 and state = 'due'`,
      [target],
    ),
  );
  return row?.n ?? 0;
}

function turn(p: { readonly lane: 'now' | 'sync' | 'bulk'; readonly errors?: Error[] }) {
  const { keycloak: connector } = line.targets;
  const { database, tenant } = line;
  return drainTarget({
    ...{ database, tenant, connector, lane: p.lane, turnMs: 2000 },
    gate: async () => {
      const conditions = await readConditions({ database, tenant });
      return decideGate({ conditions, target: 'keycloak', calmOf: neverCalm });
    },
    onError: (error) => {
      if (p.errors === undefined) throw error;
      p.errors.push(error);
    },
  });
}

describe('lanes', () => {
  it('a ticket leaves what is less urgent to the tickets of its own lane', async () => {
    await line.day({ roster, now: monday });
    await sql(`update resource set lane = 'bulk' where key like 'person:%'`);
    await turn({ lane: 'sync' });
    expect(await due('keycloak')).toBe(14);
    await turn({ lane: 'bulk' });
    expect(await due('keycloak')).toBe(0);
  });

  it('lane now is worked on while another worker has the turn of its target', async () => {
    await line.day({ roster, now: monday });
    const { database, tenant } = line;
    await database.withLock(`drain/${tenant}/keycloak`, async () => {
      expect(await turn({ lane: 'bulk' })).toBeNull();
      await sql(`update resource set lane = 'now'`);
      expect(await turn({ lane: 'now' })).toMatchObject({ applied: 18 });
    });
  });
});

describe('brakes', () => {
  it('a paused target gets nothing until it is resumed; a drained one only what came before', async () => {
    const { database, tenant } = line;
    const place = { target: 'keycloak', lane: null };
    const brake = { ...place, until: null, reason: 'opgradering', by: 'drift' };
    await setBrake({ database, tenant, brake: { ...brake, kind: 'pause' } });
    await line.day({ roster, now: monday });
    await line.drain();
    expect([await due('keycloak'), await due('moodle')]).toEqual([18, 0]);

    await setBrake({ database, tenant, brake: { ...brake, kind: 'drain' } });
    const later = smallRoster({ pupils: 6 });
    await line.day({ roster: later, now: monday });
    await line.drain();
    // The two new pupils came after it.
    expect(await due('keycloak')).toBe(2);

    expect(await liftBrake({ database, tenant, ...place })).toBe(1);
    await line.drain();
    expect(await due('keycloak')).toBe(0);
    expect(await liftBrake({ database, tenant, ...place })).toBe(0);
  });

  it('one for all tenants holds for each, and no tenant can set or lift it', async () => {
    const { database, tenant } = line;
    const brake = { target: null, lane: null, until: null, reason: 'flytning', by: 'drift' };
    await setBrake({ database, tenant: '*', brake: { ...brake, kind: 'maintenance' } });
    await line.day({ roster, now: monday });
    await line.drain();
    expect(await due('moodle')).toBeGreaterThan(0);
    expect(await liftBrake({ database, tenant, target: null, lane: null })).toBe(0);
    expect(await liftBrake({ database, tenant: '*', target: null, lane: null })).toBe(1);
    await line.drain();
    expect(await due('moodle')).toBe(0);
  });

  it('one whose time is over holds nothing', async () => {
    const { database, tenant } = line;
    const brake = { target: null, lane: null, reason: 'flytning', by: 'drift' };
    const until = new Date(Date.now() - 1000);
    await setBrake({ database, tenant, brake: { ...brake, kind: 'pause', until } });
    await line.day({ roster, now: monday });
    await line.drain();
    expect(await due('moodle')).toBe(0);
  });
});

describe('the circuit', () => {
  it('opens at an outage, tries one row when its wait is over, and closes when that is answered', async () => {
    await line.day({ roster, now: monday });
    let calls = 0;
    line.targets.keycloak.misbehave(() => {
      calls += 1;
      return { state: 'unknown-host', code: 'unreachable', detail: '' };
    });
    await turn({ lane: 'bulk' });
    const first = calls;
    expect(await turn({ lane: 'bulk' })).toMatchObject({ applied: 0, more: false });
    expect(calls).toBe(first);

    await sql(`update target_state set probe_at = now() - interval '1 second'`);
    await turn({ lane: 'bulk' });
    expect(calls).toBe(first + 1);
    const { database, tenant } = line;
    const { circuits } = await readConditions({ database, tenant });
    expect(circuits.get('keycloak')).toMatchObject({ openings: 2, cause: 'unreachable' });

    line.targets.keycloak.misbehave(null);
    await sql(`update target_state set probe_at = now() - interval '1 second'`);
    await turn({ lane: 'bulk' });
    expect(await due('keycloak')).toBe(0);
    expect((await readConditions({ database, tenant })).circuits.size).toBe(0);
  });

  it('opens when a server puts off every row, but not for the trouble of a single one', async () => {
    await line.day({ roster, now: monday });
    line.targets.keycloak.misbehave((work) =>
      work.desired !== null && 'username' in work.desired && work.desired.username === 'elev1001'
        ? { state: 'retry', afterMs: 60_000, code: 'busy', detail: '' }
        : null,
    );
    await turn({ lane: 'bulk' });
    expect(await due('keycloak')).toBe(1);
    const { database, tenant } = line;
    expect((await readConditions({ database, tenant })).circuits.size).toBe(0);

    await line.day({ roster: smallRoster({ pupils: 7 }), now: monday });
    line.targets.keycloak.misbehave(() => ({
      ...{ state: 'retry', afterMs: 60_000, code: 'too-many-requests', detail: '' },
    }));
    await turn({ lane: 'bulk' });
    const { circuits, now } = await readConditions({ database, tenant });
    const waitMs = (circuits.get('keycloak')?.probeAt.getTime() ?? 0) - now.getTime();
    expect(waitMs).toBeGreaterThan(55_000);
  });
});

describe('rows that harm', () => {
  const isPoison = (work: { readonly desired: unknown }) =>
    JSON.stringify(work.desired).includes('"elev1003"');

  it('one on which the connector throws is found by halving and set aside; its neighbours go on', async () => {
    await line.day({ roster, now: monday });
    line.targets.keycloak.misbehave((work) => {
      if (isPoison(work)) throw new Error('a defect that this row brings out');
      return null;
    });
    const errors: Error[] = [];
    for (let round = 0; round < 8; round += 1) {
      await turn({ lane: 'bulk', errors });
      await sql(`update resource set due_at = now() - interval '1 second' where state = 'due'`);
      if (round === 1) expect(await due('keycloak')).toBe(1);
    }
    expect(await due('keycloak')).toBe(0);
    expect(await countCauses(line)).toMatchObject(
      // The other targets were never worked on.
      expect.arrayContaining([
        expect.objectContaining({
          target: 'keycloak',
          state: 'failed',
          code: 'poison-row',
          count: 1,
        }),
      ]),
    );
    expect(errors.length).toBeGreaterThan(3);
  });

  it('one whose workers die before they answer comes alone and last, and is set aside in the end', async () => {
    await line.day({ roster, now: monday });
    const all = { kinds: kindOrder.keycloak, lanes: wholeLanes(lanes), target: 'keycloak' };
    const claim = () => claimWork({ ...line, ...all, size: () => 100 });
    const die = () =>
      sql(`update resource set leased_until = now() - interval '1 second' where claim is not null`);
    for (let death = 0; death < 3; death += 1) {
      expect((await claim())?.rows.length).toBe(2);
      await die();
    }
    for (let death = 0; death < 6; death += 1) {
      expect((await claim())?.rows.length).toBe(1);
      await die();
    }
    expect(await claim()).toBeNull();
    const poison = (await countCauses(line)).find((cause) => cause.code === 'poison-row');
    expect(poison).toMatchObject({ state: 'failed', count: 2 });
  });
});

describe('a worker that lost its lease', () => {
  it('does not settle what another one has settled, and what differs is done once more', async () => {
    await line.day({ roster, now: monday });
    await line.drain();
    const rename = (family: string) => ({
      ...roster,
      people: roster.people.map((p) => (p.uniId === 'elev1001' ? { ...p, family } : p)),
    });
    const all = { kinds: kindOrder.keycloak, lanes: wholeLanes(lanes), target: 'keycloak' };
    await line.day({ roster: rename('Et'), now: monday });
    const slow = await claimWork({ ...line, ...all, size: () => 100 });
    if (slow === null) throw new Error('There is nothing to claim.');
    await sql(
      `update resource set leased_until = now() - interval '1 second' where claim is not null`,
    );
    await line.day({ roster: rename('To'), now: monday });
    await line.drain();
    expect(await due('keycloak')).toBe(0);

    // The slow one wakes up and writes the older name over the newer one.
    const { keycloak } = line.targets;
    const externalIds = async () => new Map<string, string>();
    const outcomes = await keycloak.apply({ batch: slow.rows, externalIds });
    const late = { ...line, target: 'keycloak', claim: slow, outcomes, random: () => 0 };
    expect(await settleWork(late)).toMatchObject({ overtaken: 1 });
    expect(await due('keycloak')).toBe(1);
    await line.drain();
    const held = [...keycloak.held.values()].find(
      (b) => 'username' in b && b.username === 'elev1001',
    );
    expect(held).toMatchObject({ family: 'To' });
  });
});

describe('an open gate', () => {
  it('lets everything through', async () => {
    await line.day({ roster, now: monday });
    const { keycloak: connector } = line.targets;
    const { database, tenant } = line;
    const base = { database, tenant, connector, turnMs: 2000 };
    const onError = (error: Error) => {
      throw error;
    };
    await drainTarget({ ...base, lane: 'bulk', gate: async () => openGate, onError });
    expect(await due('keycloak')).toBe(0);
  });
});
