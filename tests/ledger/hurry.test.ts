import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hurryPerson } from '../../provisioning/ledger/hurry.ts';
import { findPerson } from '../../provisioning/plan/find-person.ts';
import type { Line } from '../support/line.ts';
import { openLine } from '../support/line.ts';
import { smallRoster } from '../support/roster.ts';

const monday = new Date('2026-11-02T05:00:00Z');
let line: Line;

beforeEach(async () => {
  line = await openLine();
});

afterEach(async () => {
  await line[Symbol.asyncDispose]();
});

async function lanesOf(where: string): Promise<readonly string[]> {
  const rows = await line.database.as(line.tenant, (tx) =>
    tx.query<{ lane: string }>(
      `select distinct lane from resource r where state = 'due' and ${where} order by 1`,
    ),
  );
  return rows.map((row) => row.lane);
}

describe('lane now', () => {
  it('is for a plan about one person, with the courses that person goes into', async () => {
    await line.day({ roster: smallRoster({ pupils: 5 }), now: monday });
    expect(await lanesOf('true')).toEqual(['sync']);
    await line.drain();
    const roster = smallRoster({ pupils: 5 });
    const added = { uniId: 'elev1099', institution: '101001', groups: ['7A'] };
    await line.day({ roster: { ...roster, people: [...roster.people, added] }, now: monday });
    expect(await lanesOf('true')).toEqual(['now']);
    expect(await lanesOf(`kind = 'course'`)).toEqual(['now']);
  });

  it('is for somebody whose identity is protected from now on, whatever else the plan holds', async () => {
    const roster = smallRoster({ pupils: 80 });
    await line.day({ roster, now: monday });
    await line.drain();
    const changed = roster.people.map((person) =>
      person.uniId === 'elev1001'
        ? { ...person, protected: true, given: 'Alias', family: 'Alias' }
        : { ...person, family: 'Nytnavn' },
    );
    await line.day({
      roster: { ...roster, people: changed },
      now: monday,
      allowed: ['101001', '101002'],
    });
    const account = `coalesce(desired->>'username', desired->>'userId') = 'elev1001'`;
    expect(await lanesOf(account)).toEqual(['now']);
    expect(await lanesOf(`kind = 'account' and lane <> 'now'`)).toEqual(['sync']);
  });

  it('takes what it needs along', async () => {
    await line.day({ roster: smallRoster({ pupils: 5 }), now: monday });
    await line.database.as(line.tenant, (tx) => tx.execute(`update resource set lane = 'bulk'`));
    const person = await line.database.as(line.tenant, (tx) =>
      findPerson({ tx, text: 'elev1001' }),
    );
    const hurried = await hurryPerson({ ...line, person });
    // Three accounts, a course and a cohort.
    expect(hurried).toBe(5);
    expect(await lanesOf(`person_id = '${person}'`)).toEqual(['now']);
    // The groups of the person's own school and class, and the category.
    expect(await lanesOf(`target = 'keycloak' and key = 'school:101001'`)).toEqual(['now']);
    expect(await lanesOf(`target = 'keycloak' and key = 'school:101002'`)).toEqual(['bulk']);
    expect(await lanesOf(`kind = 'category' and key = 'school:101001'`)).toEqual(['now']);
    expect(await hurryPerson({ ...line, person })).toBe(5);
    await line.drain();
    expect(await hurryPerson({ ...line, person })).toBe(0);
  });
});
