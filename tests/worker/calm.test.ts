import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimWork } from '../../provisioning/ledger/claim.ts';
import { nothingExcluded } from '../../provisioning/ledger/exclusion.ts';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import { kindOrder } from '../../provisioning/policy/resource.ts';
import type { Connector } from '../../provisioning/target/contract.ts';
import { currentManner } from '../../provisioning/target/pace/manner.ts';
import { followCalendar } from '../../services/worker/calm.ts';
import { drainTarget } from '../../services/worker/drain.ts';
import { decideGate } from '../../services/worker/gate.ts';
import type { Line } from '../support/line.ts';
import { openLine } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';

const { calendar } = parsePolicy({ text: 'version: 1\n', file: 'policy.yaml' });
const calmOf = followCalendar(calendar);

function lanesAt(time: string): readonly string[] {
  const conditions = { brakes: [], circuits: new Map(), now: new Date(time), weight: 1 };
  return decideGate({ conditions, target: 'moodle', calmOf }).lanes.map((open) => open.lane);
}

describe('the default calendar', () => {
  it('lets only lane now write at the bell of a school day, summer and winter', () => {
    expect(lanesAt('2026-11-03T06:29:59Z')).toEqual(['now', 'sync', 'bulk']);
    expect(lanesAt('2026-11-03T06:30:00Z')).toEqual(['now']);
    expect(lanesAt('2026-11-03T07:45:00Z')).toEqual(['now', 'sync', 'bulk']);
    expect(lanesAt('2026-09-01T05:30:00Z')).toEqual(['now']);
    // A Saturday.
    expect(lanesAt('2026-11-07T06:30:00Z')).toEqual(['now', 'sync', 'bulk']);
  });

  it('says how long a lane may still run, and what waits in the bell whatever its lane', () => {
    const at = new Date('2026-11-03T06:29:00Z');
    expect(calmOf({ lane: 'bulk', at })).toMatchObject({
      endsInMs: 60_000,
      without: nothingExcluded,
    });
    expect(calmOf({ lane: 'now', at: new Date('2026-11-03T07:00:00Z') })).toMatchObject({
      open: true,
      without: { courseWrites: true, groupsAbove: 200, grades: [] },
    });
  });
});

describe('the school hours of the default calendar', () => {
  const mannersAt = (time: string) => {
    const conditions = { brakes: [], circuits: new Map(), now: new Date(time), weight: 1 };
    return decideGate({ conditions, target: 'moodle', calmOf }).lanes.map((open) => open.manner);
  };

  it('are gentle, but for lane now; nights and weekends are not', () => {
    expect(mannersAt('2026-11-03T09:00:00Z')).toEqual(['urgent', 'gentle', 'gentle']);
    expect(mannersAt('2026-11-03T15:00:00Z')).toEqual(['urgent', 'full', 'full']);
    expect(mannersAt('2026-11-07T09:00:00Z')).toEqual(['urgent', 'full', 'full']);
  });

  it('reach the calls of a connector', async () => {
    await using line = await openLine();
    await line.day({ roster: smallRoster({ pupils: 5 }), now: new Date('2026-11-02T05:00:00Z') });
    const seen = new Set<string>();
    const connector: Connector = {
      ...line.targets.keycloak,
      apply: (work) => {
        seen.add(currentManner());
        return line.targets.keycloak.apply(work);
      },
    };
    const conditions = { brakes: [], circuits: new Map(), weight: 1 };
    const now = new Date('2026-11-03T09:00:00Z');
    const gate = async () =>
      decideGate({ conditions: { ...conditions, now }, target: 'k', calmOf });
    const onError = (error: Error) => {
      throw error;
    };
    await drainTarget({ ...line, connector, lane: 'bulk', turnMs: 2000, gate, onError });
    expect([...seen]).toEqual(['gentle']);
  });
});

describe('what is left out', () => {
  const monday = new Date('2026-11-02T05:00:00Z');
  let line: Line;

  beforeEach(async () => {
    line = await openLine();
    await line.day({ roster: smallRoster({ pupils: 5 }), now: monday });
  });

  afterEach(async () => {
    await line[Symbol.asyncDispose]();
  });

  async function claimable(p: {
    readonly target: 'moodle' | 'nextcloud';
    readonly kind: 'course' | 'group' | 'account';
    readonly without: Partial<typeof nothingExcluded>;
  }): Promise<number> {
    const lanes = [
      { lane: 'sync', committedUntil: null, without: { ...nothingExcluded, ...p.without } },
    ] as const;
    const kinds = kindOrder[p.target].filter((kind) => kind === p.kind);
    const claim = await claimWork({ ...line, target: p.target, kinds, lanes, size: () => 100 });
    await line.database.as(line.tenant, (tx) =>
      tx.execute('update resource set leased_until = null, claim = null, unanswered = 0'),
    );
    return claim?.rows.length ?? 0;
  }

  it('is a course whose own settings change, not one into which somebody comes', async () => {
    await line.drain();
    const change = (sql: string) =>
      line.database.as(line.tenant, (tx) =>
        tx.execute(
          `update resource set state = 'due', lane = 'sync', due_at = now(), ${sql} where kind = 'course'`,
        ),
      );
    const course = { target: 'moodle', kind: 'course', without: { courseWrites: true } } as const;
    await change(`desired = desired || '{"enrolments": {}}'`);
    expect(await claimable(course)).toBe(2);
    await change(`desired = desired || '{"fullname": "Nyt navn"}'`);
    expect(await claimable(course)).toBe(0);
    expect(await claimable({ ...course, without: {} })).toBe(2);
  });

  it('is a large group, by the accounts that are in it', async () => {
    const group = { target: 'nextcloud', kind: 'group' } as const;
    const all = await claimable({ ...group, without: {} });
    expect(all).toBeGreaterThan(4);
    expect(await claimable({ ...group, without: { groupsAbove: 100 } })).toBe(all);
    // The pupils of each school and of each class are five and six.
    expect(await claimable({ ...group, without: { groupsAbove: 4 } })).toBeLessThan(all);
  });

  it('is what concerns a grade, where a window is for that grade', async () => {
    await line.database.as(line.tenant, (tx) =>
      tx.execute(
        `update record set body = body || '{"grade": "9"}'
         where entity = 'affiliation' and person like '%elev1001%' or entity = 'group' and institution = '101001'`,
      ),
    );
    await line.drain();
    await line.database.as(line.tenant, (tx) =>
      tx.execute(`update resource set state = 'due', lane = 'sync', due_at = now()`),
    );
    const account = { target: 'moodle', kind: 'account' } as const;
    const all = await claimable({ ...account, without: {} });
    expect(await claimable({ ...account, without: { grades: ['9'] } })).toBe(all - 1);
    expect(await claimable({ ...account, without: { grades: ['8'] } })).toBe(all);
    expect(await claimable({ target: 'moodle', kind: 'course', without: { grades: ['9'] } })).toBe(
      1,
    );
  });
});
