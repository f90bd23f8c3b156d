import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimWork, wholeLanes } from '../../provisioning/ledger/claim.ts';
import { settleWork } from '../../provisioning/ledger/settle.ts';
import { startAgain } from '../../provisioning/ledger/start-passwords.ts';
import { kindOrder } from '../../provisioning/policy/resource.ts';
import type { Line } from '../support/line.ts';
import { openLine } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';

const monday = new Date('2026-11-02T05:00:00Z');
const policy = 'version: 1\nkeycloak: { startPasswords: { grades: [7] } }\n';
const target = 'keycloak';
let line: Line;

beforeEach(async () => {
  line = await openLine({ policy });
  await line.day({ roster: smallRoster({ pupils: 2 }), now: monday });
  await line.drain();
});

afterEach(async () => {
  await line[Symbol.asyncDispose]();
});

function claim() {
  const all = { kinds: kindOrder[target], lanes: wholeLanes(['now']) };
  return claimWork({ ...line, ...all, target, size: () => 100 });
}

async function state(): Promise<string | undefined> {
  const [row] = await line.database.as(line.tenant, (tx) =>
    tx.query<{ state: string }>(
      `select state || case when start_again is null then '' else ', asked' end as state from resource
       where target = $1 and kind = 'account' and desired->>'username' = 'elev1001'`,
      [target],
    ),
  );
  return row?.state;
}

describe('a start password that somebody asked for once more', () => {
  it('is one row of lane now, told to the connector until it is done', async () => {
    await startAgain({ ...line, text: 'elev1001' });
    const claimed = await claim();
    if (claimed === null) throw new Error('There is nothing to claim.');
    expect(claimed.rows).toMatchObject([
      { desired: { username: 'elev1001' }, startAgain: expect.any(String) },
    ]);
    const settle = { ...line, target, claim: claimed, random: () => 0 };
    const outcomes = [{ state: 'retry', afterMs: 0, code: 'busy', detail: 'Later.' }] as const;
    await settleWork({ ...settle, outcomes });
    expect(await state()).toBe('due, asked');
    await line.drain();
    expect(await state()).toBe('settled');
  });

  it('is done again when it was asked for while it was being done', async () => {
    await startAgain({ ...line, text: 'elev1001' });
    const claimed = await claim();
    if (claimed === null) throw new Error('There is nothing to claim.');
    await startAgain({ ...line, text: 'elev1001' });
    const outcomes = [{ state: 'applied', externalId: null }] as const;
    await settleWork({ ...line, target, claim: claimed, outcomes, random: () => 0 });
    expect(await state()).toBe('due, asked');
    await line.drain();
    expect(await state()).toBe('settled');
  });

  it('is refused to whoever never had one, and to nobody', async () => {
    const code = (text: string) => startAgain({ ...line, text }).catch((error) => error.code);
    expect(await code('lear1001')).toBe('no-start-password');
    expect(await code('ingen')).toBe('person-unknown');
  });
});
