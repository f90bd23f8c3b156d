import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Claim } from '../../provisioning/ledger/claim.ts';
import { claimWork, wholeLanes } from '../../provisioning/ledger/claim.ts';
import { settleWork } from '../../provisioning/ledger/settle.ts';
import { lanes } from '../../provisioning/policy/lane.ts';
import { kindOrder } from '../../provisioning/policy/resource.ts';
import type { Line } from '../support/line.ts';
import { openLine } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';

const monday = new Date('2026-11-02T05:00:00Z');
const roster = smallRoster({ pupils: 2 });
const target = 'keycloak';
let line: Line;

beforeEach(async () => {
  line = await openLine();
  await line.day({ roster, now: monday });
  await line.drain();
});

afterEach(async () => {
  await line[Symbol.asyncDispose]();
});

/** Brings the pupil `elev1001` the family name to the ledger's desired state. */
function rename(family: string) {
  const people = roster.people.map((p) => (p.uniId === 'elev1001' ? { ...p, family } : p));
  return line.day({ roster: { ...roster, people }, now: monday });
}

async function claim(): Promise<Claim> {
  const all = { kinds: kindOrder[target], lanes: wholeLanes(lanes) };
  const claimed = await claimWork({ ...line, ...all, target, size: () => 100 });
  if (claimed === null) throw new Error('There is nothing to claim.');
  return claimed;
}

/** The worker of a claim is killed: what it wrote, nobody knows. */
async function die(): Promise<void> {
  await line.database.as(line.tenant, (tx) =>
    tx.execute(`update resource set leased_until = now() - interval '1 second'
                where claim is not null`),
  );
}

async function readRow() {
  const [row] = await line.database.as(line.tenant, (tx) =>
    tx.query<{ state: string; tried: readonly object[] }>(
      `select state, tried from resource where target = $1 and kind = 'account'
       and desired->>'username' = 'elev1001'`,
      [target],
    ),
  );
  return row;
}

describe('a state that was perhaps written', () => {
  it('comes with the next claim when something else is desired by then, until that is confirmed', async () => {
    await rename('Et');
    await claim();
    await die();
    await rename('To');
    const { rows } = await claim();
    expect(rows).toMatchObject([
      { applied: { family: 'Prøvesen' }, tried: [{ family: 'Et' }], desired: { family: 'To' } },
    ]);
    await die();
    await line.drain();
    expect(await readRow()).toEqual({ state: 'settled', tried: [] });
  });

  it('keeps a row due that is wanted again as it was confirmed', async () => {
    await rename('Et');
    await claim();
    await die();
    await line.day({ roster, now: monday });
    expect(await readRow()).toMatchObject({ state: 'due', tried: [{ family: 'Et' }] });
  });

  it('is not remembered of what nobody claimed', async () => {
    await rename('Et');
    await rename('To');
    expect(await readRow()).toMatchObject({ tried: [] });
    await line.day({ roster, now: monday });
    expect(await readRow()).toEqual({ state: 'settled', tried: [] });
  });

  it('is remembered of a worker that wrote after it had lost its lease, and of the one that had it', async () => {
    await rename('Et');
    const slow = await claim();
    await die();
    await rename('To');
    await line.drain();
    const outcomes = slow.rows.map(() => ({ state: 'applied', externalId: null }) as const);
    await settleWork({ ...line, target, claim: slow, outcomes, random: () => 0 });
    const { rows } = await claim();
    expect(rows).toMatchObject([
      { applied: null, tried: [{ family: 'To' }, { family: 'Et' }], desired: { family: 'To' } },
    ]);
  });

  it('is one of the newest ten', async () => {
    for (let n = 1; n <= 12; n += 1) {
      await rename(`Navn${n}`);
      await claim();
      await die();
      await line.database.as(line.tenant, (tx) => tx.execute('update resource set unanswered = 0'));
    }
    await rename('Sidst');
    const row = await readRow();
    expect(row?.tried.length).toBe(10);
    expect(row?.tried.at(-1)).toMatchObject({ family: 'Navn12' });
  });
});
