import { afterEach, beforeEach, expect } from 'vitest';
import type { Line } from '../support/line.ts';
import { countPlanned, openLine } from '../support/line.ts';
import type { SmallPerson, SmallRoster } from '../support/roster.ts';

export const school = '101001';
export const other = '101002';
export const now = new Date('2026-11-02T06:00:00Z');

export function rosterOf(people: readonly SmallPerson[]): SmallRoster {
  return {
    institutions: [school, other],
    groups: [
      { institution: school, id: '7A', name: '7.A' },
      { institution: school, id: '8B', name: '8.B' },
      { institution: other, id: '7A', name: '7.A' },
    ],
    people,
  };
}

/** The n-th pupil of the school, with all three pieces of evidence. */
export function pupil(n: number, changes: Partial<SmallPerson> = {}): SmallPerson {
  return {
    uniId: `elev${1000 + n}`,
    localId: `L${n}`,
    civil: `c${n}`,
    institution: school,
    groups: ['7A'],
    ...changes,
  };
}

export const ten = Array.from({ length: 10 }, (_, n) => pupil(n));

interface OpenHold {
  readonly code: string;
  readonly subject: string;
  readonly person: string | null;
  readonly evidence: {
    readonly reason: string;
    readonly people: readonly { readonly person: string }[];
    readonly choices: readonly string[];
  };
}

/** A line of its own for every test, and what the tests of recognising ask of it. */
export function usePeopleLine() {
  let line: Line;

  beforeEach(async () => {
    line = await openLine();
  });

  afterEach(async () => {
    await line[Symbol.asyncDispose]();
  });

  /** Syncs the feed; what it left open is settled when the same feed again plans nothing. */
  async function day(people: readonly SmallPerson[]) {
    const { plan } = await line.day({ roster: rosterOf(people), now });
    const again = await line.day({ roster: rosterOf(people), now });
    expect(countPlanned(again.plan)).toBe(0);
    expect(again.plan.held).toEqual(plan.held);
    return { plan, planned: countPlanned(plan), held: await openHolds() };
  }

  async function openHolds(): Promise<readonly OpenHold[]> {
    return line.database.as(line.tenant, (tx) =>
      tx.query<OpenHold & Record<string, unknown>>(
        `select code, subject, person_id as person, evidence from hold where state = 'open' order by subject`,
      ),
    );
  }

  async function choose(choice: string, scope: 'once' | 'rule' = 'once'): Promise<void> {
    await line.database.as(line.tenant, (tx) =>
      tx.execute(
        `update hold set state = 'decided', choice = $1, scope = $2, decided_by = 'test', decided_at = now()
         where state = 'open'`,
        [choice, scope],
      ),
    );
  }

  /** Record key -> person. */
  async function people(): Promise<Readonly<Record<string, string>>> {
    const rows = await line.database.as(line.tenant, (tx) =>
      tx.query<{ key: string; person: string }>(
        'select record_key as key, person_id as person from recognition',
      ),
    );
    return Object.fromEntries(rows.map(({ key, person }) => [key, person]));
  }

  async function present(entity: string): Promise<readonly string[]> {
    const rows = await line.database.as(line.tenant, (tx) =>
      tx.query<{ key: string }>(
        'select key from record where entity = $1 and gone_at is null order by key',
        [entity],
      ),
    );
    return rows.map(({ key }) => key);
  }

  async function usernames(): Promise<readonly string[]> {
    const rows = await line.database.as(line.tenant, (tx) =>
      tx.query<{ username: string }>(
        `select u.username from username u join resource r using (person_id)
         where r.kind = 'account' and r.target = 'keycloak' and r.desired is not null
           and r.scheduled_at is null and (r.desired->>'active')::boolean order by 1`,
      ),
    );
    return rows.map(({ username }) => username);
  }

  return { line: () => line, day, openHolds, choose, people, present, usernames };
}
