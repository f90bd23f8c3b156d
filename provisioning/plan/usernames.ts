import { randomInt } from 'node:crypto';
import { packagesFor } from '../policy/packages.ts';
import type { AffiliationSlice, InstitutionSlice } from '../policy/resource.ts';
import type { Policy } from '../policy/schema.ts';
import { candidateUsernames } from '../policy/username.ts';
import type { Transaction } from '../store/database.ts';

interface Nameless {
  readonly id: string;
  readonly uniId: string | null;
  readonly given: string | null;
  readonly family: string | null;
  readonly protected: boolean;
  readonly affiliations: readonly AffiliationSlice[];
}

/**
 * Gives a username to everybody whom policy wants in some target and who has none yet. The register
 * decides who gets a name that two would like: an insert either takes it or does not, so a name is
 * never given twice, whoever else is planning.
 */
export async function giveUsernames(p: {
  readonly tx: Transaction;
  readonly policy: Policy;
  readonly institutions: ReadonlyMap<string, InstitutionSlice>;
}): Promise<void> {
  const { tx, policy, institutions } = p;
  const people = tx.stream<Nameless>(
    `select p.person_id as id, p.affiliations, (r.body->>'protected')::boolean as protected,
            r.body->>'given' as given, r.body->>'family' as family, r.uni_id as "uniId"
     from seen_person p
     join lateral (
       select r.body, (select id->>'value' from jsonb_array_elements(r.body->'ids') id
                       where id->>'system' = 'uni-id' order by 1 limit 1) as uni_id
       from recognition g join record r on r.source = g.source and r.entity = 'person' and r.key = g.record_key
       where g.person_id = p.person_id
       order by (r.body->>'protected')::boolean desc, r.source, r.key limit 1) r on true
     where p.present and not exists (select from username u where u.person_id = p.person_id)
     order by p.person_id`,
  );
  let page: Nameless[] = [];
  for await (const person of people) {
    const packages = packagesFor({ policy, affiliations: person.affiliations, institutions });
    if (packages.targets.length === 0) continue;
    page.push(person);
    if (page.length < 1000) continue;
    await settleNames({ tx, policy, people: page });
    page = [];
  }
  await settleNames({ tx, policy, people: page });
}

/** Rounds of "everybody asks for the next name of his or her list", until all have one. */
async function settleNames(p: {
  readonly tx: Transaction;
  readonly policy: Policy;
  readonly people: readonly Nameless[];
}): Promise<void> {
  let asking = p.people.map((person) => ({
    id: person.id,
    names: candidateUsernames({ policy: p.policy, person, random: secureRandom })[
      Symbol.iterator
    ](),
  }));
  while (asking.length > 0) {
    const wishes = asking.map(({ id, names }) => {
      const next = names.next();
      if (next.done === true) throw new Error(`No username is left for person ${id}.`);
      return { person_id: id, username: next.value };
    });
    const taken = await p.tx.query<{ person_id: string }>(
      `insert into username (tenant_id, username, person_id)
       select $1, username, person_id
       from jsonb_to_recordset($2::jsonb) as x(username text, person_id uuid)
       on conflict do nothing returning person_id`,
      [p.tx.tenant, JSON.stringify(wishes)],
    );
    const served = new Set(taken.map((row) => row.person_id));
    asking = asking.filter(({ id }) => !served.has(id));
  }
}

/** Start names must not be guessable from one another: Math.random would let them be. */
function secureRandom(): number {
  return randomInt(2 ** 32) / 2 ** 32;
}
