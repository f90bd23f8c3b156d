import { afterEach, beforeEach, expect, it } from 'vitest';
import { promoteDue } from '../../provisioning/ledger/commit.ts';
import { inKeycloak } from '../adopt/by-hand.ts';
import type { Town } from '../adopt/town.ts';
import { openTown } from '../adopt/town.ts';
import { countPlanned } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';

const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
const base = smallRoster({ pupils: 1 });
const newcomer = {
  uniId: 'nyla0001',
  institution: '101001',
  kind: 'staff',
  from: tomorrow,
} as const;
const roster = {
  ...base,
  people: [...base.people, { ...newcomer, roles: ['teacher'], groups: ['7A'] } as const],
};

let town: Town;

beforeEach(async () => {
  town = await openTown({ policy: 'version: 1\nlifecycle: { hideUntilStart: true }\n' });
});

afterEach(async () => {
  await town[Symbol.asyncDispose]();
});

async function newcomersAccounts() {
  const found = [];
  for (const target of ['keycloak', 'nextcloud', 'moodle'] as const) {
    for (const { body } of await town.observe(target, 'account')) {
      const fields = body as Readonly<Record<string, unknown>>;
      if ((fields['username'] ?? fields['userId']) === 'nyla0001') found.push(fields['active']);
    }
  }
  return found;
}

it('stands shut in every server, is no drift, and is opened on the day', async () => {
  await town.sync({ roster, commit: true });
  expect(await town.unsettled()).toEqual([]);
  expect(await newcomersAccounts()).toEqual([false, false, false]);
  expect((await town.drift({ reportOnly: true })).differences).toEqual([]);
  expect(countPlanned(await town.sync({ roster, commit: true }))).toBe(0);

  const { database, tenant } = town;
  const woken = await promoteDue({ database, tenant, now: new Date(`${tomorrow}T00:00:00Z`) });
  expect([...woken].sort()).toEqual(['keycloak', 'moodle', 'nextcloud']);
  await town.drain();
  expect(await newcomersAccounts()).toEqual([true, true, true]);
  expect(await town.unsettled()).toEqual([]);
});

it('adopts an account that is open already without shutting it', async () => {
  await inKeycloak({
    town,
    method: 'POST',
    path: 'users',
    body: { username: 'nyla0001', enabled: true },
  });
  await town.sync({ roster, commit: false });
  const adopted = await town.adopt({ target: 'keycloak', kind: 'account', commit: true });
  expect(adopted?.changes['keycloak']?.['account']?.adopt).toBe(1);
  await town.sync({ roster, commit: true });
  expect(await newcomersAccounts()).toEqual([true, false, false]);
  expect(countPlanned(await town.sync({ roster, commit: true }))).toBe(0);
});
