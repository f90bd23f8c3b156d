import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimWork, wholeLanes } from '../../provisioning/ledger/claim.ts';
import { countCauses, readProgress } from '../../provisioning/ledger/progress.ts';
import { retryFailed, settleWork } from '../../provisioning/ledger/settle.ts';
import { lanes } from '../../provisioning/policy/lane.ts';
import { kindOrder } from '../../provisioning/policy/resource.ts';
import type { Line } from '../support/line.ts';
import { openLine } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';

let line: Line;
const monday = new Date('2026-11-02T05:00:00Z');
const roster = smallRoster({ pupils: 3 });

beforeEach(async () => {
  line = await openLine();
  await line.day({ roster, now: monday });
});

afterEach(async () => {
  await line[Symbol.asyncDispose]();
});

function claim(target: 'keycloak' | 'nextcloud' | 'moodle', size = 100) {
  const all = { kinds: kindOrder[target], lanes: wholeLanes(lanes) };
  return claimWork({ ...line, ...all, target, size: () => size });
}

async function sum(column: 'settled' | 'due' | 'failed', target: string): Promise<number> {
  const rows = (await readProgress(line)).filter((row) => row.target === target);
  return rows.reduce((total, row) => total + row[column], 0);
}

/** Lets every wait be over and every lease run out. */
async function passTime(): Promise<void> {
  await line.database.as(line.tenant, (tx) =>
    tx.execute(
      `update resource set due_at = now() - interval '1 second', leased_until = null where state = 'due'`,
    ),
  );
  await line.database.as(line.tenant, (tx) =>
    tx.execute(`update target_state set probe_at = now() - interval '1 second'`),
  );
}

describe('claiming', () => {
  it('never gives a row to two workers', async () => {
    const [a, b] = await Promise.all([claim('keycloak', 1), claim('keycloak', 1)]);
    expect([a, b].map((one) => one?.rows.length)).toEqual([1, 1]);
    expect(a?.rows[0]?.key).not.toBe(b?.rows[0]?.key);
  });

  it('passes over what needs something that does not stand yet', async () => {
    const schools = await claim('keycloak');
    expect(schools?.rows.every((work) => work.key.startsWith('school:'))).toBe(true);
    // The classes need the schools, which are claimed but not settled; the accounts need both.
    expect(await claim('keycloak')).toBeNull();
  });

  it('takes over what a dead worker had claimed, and says that it was tried before', async () => {
    const first = await claim('keycloak');
    await passTime();
    const second = await claim('keycloak');
    const keys = (of: typeof first) => of?.rows.map((work) => work.key).sort();
    expect(keys(second)).toEqual(keys(first));
    expect(second?.rows.every((work) => work.attempts === 1)).toBe(true);
  });
});

describe('settling', () => {
  it('fails a refused row alone; its neighbours go on', async () => {
    line.targets.keycloak.misbehave((work) =>
      work.desired !== null && 'username' in work.desired && work.desired.username === 'elev1001'
        ? { state: 'rejected', code: 'invalid-name', detail: 'The server refuses the name.' }
        : null,
    );
    await line.drain();
    expect(await sum('failed', 'keycloak')).toBe(1);
    expect(await sum('due', 'keycloak')).toBe(0);
    expect(await countCauses(line)).toMatchObject([
      { target: 'keycloak', kind: 'account', state: 'failed', code: 'invalid-name', count: 1 },
    ]);
    line.targets.keycloak.misbehave(null);
    expect(await retryFailed({ ...line, target: 'keycloak', kind: null })).toBe(1);
    await line.drain();
    expect(await sum('failed', 'keycloak')).toBe(0);
  });

  it('leaves people out of a course as long as they have no account, and puts them in later', async () => {
    line.targets.moodle.misbehave((work) =>
      work.desired !== null && 'username' in work.desired && work.desired.username === 'elev1001'
        ? { state: 'rejected', code: 'invalid-parameter', detail: '' }
        : null,
    );
    await line.drain();
    expect(await sum('due', 'moodle')).toBe(2);
    expect((await countCauses(line)).map((cause) => cause.code)).toContain('waits-for-accounts');
    line.targets.moodle.misbehave(null);
    await retryFailed({ ...line, target: 'moodle', kind: null });
    await line.drain();
    expect(await sum('due', 'moodle')).toBe(0);
  });

  it('concludes nothing from an outage, and stops asking', async () => {
    let calls = 0;
    line.targets.nextcloud.misbehave(() => {
      calls += 1;
      return { state: 'unknown-host', code: 'connection-refused', detail: '' };
    });
    await line.drain();
    const asked = calls;
    await line.drain();
    expect(calls).toBe(asked);
    expect(asked).toBeLessThanOrEqual(10);
    line.targets.nextcloud.misbehave(null);
    await passTime();
    await line.drain();
    expect(await sum('due', 'nextcloud')).toBe(0);
  });

  it('applies the newest state when a row changes while it is being written', async () => {
    await line.drain();
    const renamed = {
      ...roster,
      people: roster.people.map((p) => (p.uniId === 'elev1001' ? { ...p, family: 'Et' } : p)),
    };
    await line.day({ roster: renamed, now: monday });
    const claimed = await claim('keycloak');
    if (claimed === null) throw new Error('There is nothing to claim.');
    const again = {
      ...roster,
      people: roster.people.map((p) => (p.uniId === 'elev1001' ? { ...p, family: 'To' } : p)),
    };
    await line.day({ roster: again, now: monday });
    await settleWork({
      ...line,
      target: 'keycloak',
      claim: claimed,
      outcomes: claimed.rows.map((work) => ({ state: 'applied', externalId: work.externalId })),
      random: () => 0,
    });
    await line.drain();
    const written = [...line.targets.keycloak.held.values()].find(
      (b) => 'username' in b && b.username === 'elev1001',
    );
    expect(written).toMatchObject({ family: 'To' });
    expect(await sum('due', 'keycloak')).toBe(0);
  });
});
