import { describe, expect, it } from 'vitest';
import type { Brake } from '../../provisioning/ledger/brake.ts';
import { waitOfOpening } from '../../provisioning/ledger/circuit.ts';
import type { Conditions } from '../../services/worker/gate.ts';
import { decideGate, neverCalm } from '../../services/worker/gate.ts';
import { mostTurns, shareTurn } from '../../services/worker/turn.ts';

const now = new Date('2026-11-03T10:00:00Z');
const free: Conditions = { brakes: [], circuits: new Map(), now, weight: 1 };

function brake(p: Partial<Brake>): Brake {
  const since = new Date('2026-11-03T09:00:00Z');
  const who = { reason: 'opgradering', by: 'drift' };
  const place = { id: 'b', tenant: 'kommune', target: null, lane: null, until: null };
  return { ...who, ...place, kind: 'pause', since, ...p };
}

function lanesThatRun(conditions: Partial<Conditions>, target = 'moodle'): readonly string[] {
  const gate = decideGate({ conditions: { ...free, ...conditions }, target, calmOf: neverCalm });
  return gate.lanes.map((open) => open.lane);
}

describe('what may be started', () => {
  it('is everything, most urgent first, where nothing stands in the way', () => {
    expect(lanesThatRun({})).toEqual(['now', 'sync', 'bulk']);
  });

  it.each([
    { brakes: [brake({})], moodle: [], keycloak: [] },
    { brakes: [brake({ tenant: '*', kind: 'maintenance' })], moodle: [], keycloak: [] },
    { brakes: [brake({ target: 'moodle' })], moodle: [], keycloak: ['now', 'sync', 'bulk'] },
    { brakes: [brake({ lane: 'bulk' })], moodle: ['now', 'sync'], keycloak: ['now', 'sync'] },
    {
      brakes: [brake({ target: 'moodle', lane: 'sync' }), brake({ lane: 'bulk' })],
      moodle: ['now'],
      keycloak: ['now', 'sync'],
    },
    {
      brakes: [brake({ kind: 'drain' })],
      moodle: ['now', 'sync', 'bulk'],
      keycloak: ['now', 'sync', 'bulk'],
    },
  ])('follows the brakes: case %#', ({ brakes, moodle, keycloak }) => {
    expect(lanesThatRun({ brakes })).toEqual(moodle);
    expect(lanesThatRun({ brakes }, 'keycloak')).toEqual(keycloak);
  });

  it('is only what was committed before a drain began, the first of two', () => {
    const brakes = [
      brake({ kind: 'drain', lane: 'sync', since: new Date('2026-11-03T09:30:00Z') }),
      brake({ kind: 'drain' }),
    ];
    const gate = decideGate({
      conditions: { ...free, brakes },
      target: 'moodle',
      calmOf: neverCalm,
    });
    expect(gate.lanes.map((open) => open.committedUntil?.toISOString())).toEqual(
      Array(3).fill('2026-11-03T09:00:00.000Z'),
    );
  });

  it('is nothing while a circuit is open, and one row when its wait is over', () => {
    const circuit = { openedAt: now, openings: 1, cause: 'unreachable' };
    const later = new Date(now.getTime() + 1);
    const open = { circuits: new Map([['moodle', { ...circuit, probeAt: later }]]) };
    expect(lanesThatRun(open)).toEqual([]);
    expect(lanesThatRun(open, 'keycloak')).toHaveLength(3);
    const halfOpen = { circuits: new Map([['moodle', { ...circuit, probeAt: now }]]) };
    const gate = decideGate({
      conditions: { ...free, ...halfOpen },
      target: 'moodle',
      calmOf: neverCalm,
    });
    expect(gate).toMatchObject({ probe: true });
    expect(gate.lanes).toHaveLength(3);
  });
});

describe('the wait of an open circuit', () => {
  it('doubles up to five minutes, with full jitter, and is never less than a server asked for', () => {
    const waits = [0, 1, 2, 3, 20].map((openings) =>
      waitOfOpening({ openings, afterMs: 0, random: 1 }),
    );
    expect(waits).toEqual([5, 10, 20, 40, 300]);
    expect(waitOfOpening({ openings: 3, afterMs: 0, random: 0.5 })).toBe(20);
    expect(waitOfOpening({ openings: 0, afterMs: 0, random: 0 })).toBe(1);
    expect(waitOfOpening({ openings: 0, afterMs: 90_000, random: 0.5 })).toBe(90);
  });
});

describe('the length of a turn', () => {
  it('is by weight, and shared by the targets of a tenant', () => {
    expect(shareTurn({ weight: 1, dueTargets: 1 })).toBe(2000);
    expect(shareTurn({ weight: 3, dueTargets: 1 })).toBe(6000);
    expect(shareTurn({ weight: 1, dueTargets: 40 })).toBe(50);
    expect(shareTurn({ weight: 1, dueTargets: 0 })).toBe(2000);
  });

  it('never takes the last connections: with forty targets there are still some to ask with', () => {
    expect(mostTurns({ wanted: 40, connections: 20, lanes: 3 })).toBe(6);
    expect(mostTurns({ wanted: 3, connections: 20, lanes: 3 })).toBe(3);
    expect(mostTurns({ wanted: 3, connections: 4, lanes: 3 })).toBe(1);
  });
});
