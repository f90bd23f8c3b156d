/** A server that fails now and then in every way that it knows: all is right in the end, nothing twice. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KeycloakAccount, KeycloakGroup } from '../../provisioning/policy/resource.ts';
import type { Outcome } from '../../provisioning/target/contract.ts';
import { connectKeycloak } from '../../provisioning/target/keycloak/connector.ts';
import { openDocuments } from '../../services/sandbox/documents.ts';
import { everyFault, faultKinds } from '../../services/sandbox/keycloak/fault.ts';
import {
  type KeycloakStandIn,
  startKeycloakStandIn,
} from '../../services/sandbox/keycloak/stand-in.ts';
import { openHastyClock } from '../support/hasty-clock.ts';
import { account, group, observeAll, openLedger } from './people.ts';

const classes = 200;
const people = 2800;
const documents = openDocuments({ file: null });
let standIn: KeycloakStandIn;
beforeAll(async () => {
  standIn = await startKeycloakStandIn({ port: 0, documents, user: 'admin', password: 'fixture' });
});
afterAll(async () => {
  await standIn[Symbol.asyncDispose]();
  documents[Symbol.dispose]();
});

test('3,000 resources through 1 % of every fault, in three days', {
  timeout: 120_000,
}, async () => {
  const connector = connectKeycloak({
    name: 'keycloak',
    url: standIn.url,
    realm: 'faults',
    credentials: { user: 'admin', password: 'fixture' },
    clock: openHastyClock(),
  });
  await connector.prepare();
  const met = new Map<string, number>();
  standIn.setFaults(
    everyFault({
      rate: 0.01,
      seed: 7,
      onFault: (kind) => met.set(kind, (met.get(kind) ?? 0) + 1),
    }),
  );
  const ledger = openLedger();
  const codes = new Map<string, number>();
  const note = (outcomes: readonly Outcome[]) => {
    for (const outcome of outcomes) {
      if (outcome.state === 'applied') continue;
      expect(outcome.state).toBe('retry');
      codes.set(outcome.code, (codes.get(outcome.code) ?? 0) + 1);
    }
    return outcomes.every((outcome) => outcome.state === 'applied');
  };
  const drain = async (kind: 'group' | 'account') => {
    let rounds = 1;
    while (!note(await ledger.drain(connector, kind))) rounds += 1;
    return rounds;
  };

  ledger.want('group', 'school', group({ name: 'Skole' }));
  for (let n = 1; n < classes; n += 1) {
    ledger.want('group', `class:${n}`, group({ name: `Klasse ${n}`, parent: 'school' }));
  }
  const person = (n: number, more: Partial<KeycloakAccount> = {}) =>
    account({
      username: `person${n}`,
      email: `p${n}@example.test`,
      attributes: { uniId: [`uni${n}`] },
      groups: [`class:${1 + (n % (classes - 1))}`, 'school'],
      ...more,
    });
  for (let n = 0; n < people; n += 1) ledger.want('account', `person:${n}`, person(n));
  expect(await drain('group')).toBeLessThan(12);
  expect(await drain('account')).toBeLessThan(12);

  for (let n = 0; n < people; n += 7) {
    const moved = { groups: [`class:${1 + ((n + 3) % (classes - 1))}`, 'school'] };
    ledger.want('account', `person:${n}`, person(n, { family: 'Nyt', ...moved }));
    ledger.want('account', `person:${n + 1}`, person(n + 1, { active: false }));
  }
  for (let n = 1; n < classes; n += 2) {
    const now = ledger.rows.get(`group/class:${n}`)?.desired as KeycloakGroup;
    ledger.want('group', `class:${n}`, { ...now, name: `Omdøbt ${n}` });
  }
  await drain('group');
  await drain('account');

  for (let n = 3; n < people; n += 50) ledger.want('account', `person:${n}`, null);
  await drain('account');

  standIn.setFaults(null);
  expect([...met.keys()].sort()).toEqual([...faultKinds].sort());
  // `needs-group`: the school's own row had to be tried twice.
  const known = 'busy conflict connection-lost create-failed needs-group server-error'.split(' ');
  expect([...codes.keys()].filter((code) => !known.includes(code))).toEqual([]);
  const groups = await observeAll(connector, 'group');
  const accounts = await observeAll(connector, 'account');
  const rows = [...ledger.rows.values()];
  expect(groups.size + accounts.size).toBe(rows.length);
  const paths = new Map([...groups.values()].map((one) => [one.key, String(one.body['path'])]));
  for (const row of rows) {
    const all = row.kind === 'group' ? groups : accounts;
    const seen = all.get(String(row.externalId));
    expect(seen?.key).toBe(row.key);
    if (row.kind === 'group') {
      expect(seen?.body).toMatchObject({ name: (row.desired as KeycloakGroup).name });
      continue;
    }
    const body = row.desired as KeycloakAccount;
    const wanted = body.groups.map((key) => paths.get(key)).sort();
    expect(seen?.body).toMatchObject({ ...body, groups: wanted });
  }
});
