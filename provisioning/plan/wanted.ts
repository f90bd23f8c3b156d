import { desireGroup, desireInstitution, desirePerson } from '../policy/desire.ts';
import type { DesiredResource, InstitutionSlice } from '../policy/resource.ts';
import { findDuplicateNames } from '../policy/resource-rules.ts';
import type { TargetTypes } from '../policy/route.ts';
import { routeResource } from '../policy/route.ts';
import type { Policy } from '../policy/schema.ts';
import { needsAlias } from '../policy/shown-name.ts';
import type { Transaction } from '../store/database.ts';
import { dayOf, isKept } from '../store/keep-alive.ts';
import {
  gatherAccountHolders,
  gatherRoster,
  readGroupHeads,
  readGroups,
  readInstitutions,
  readPeople,
  readPeopleWithRoles,
} from './slices.ts';
import { giveUsernames } from './usernames.ts';
import type { PersonWithoutAlias } from './without-alias.ts';

/** What policy wants of the roster as it is now, in the temporary table `wanted` of the transaction. */
export async function gatherWish(p: {
  readonly tx: Transaction;
  readonly policy: Policy;
  readonly targets: TargetTypes;
  readonly schoolYear: string | null;
  readonly now: Date;
}): Promise<{
  readonly institutions: ReadonlyMap<string, InstitutionSlice>;
  readonly withoutAlias: readonly PersonWithoutAlias[];
}> {
  const { tx } = p;
  await gatherRoster({ tx, today: dayOf(p.now), lifecycle: p.policy.lifecycle });
  const institutions = await readInstitutions(tx);
  await giveUsernames({ tx, policy: p.policy, institutions });
  await gatherAccountHolders(tx);
  return { institutions, withoutAlias: await gatherWanted({ ...p, institutions }) };
}

/** Runs policy over the roster into the temporary table `wanted`; returns whom it met without an alias. */
export async function gatherWanted(p: {
  readonly tx: Transaction;
  readonly policy: Policy;
  readonly institutions: ReadonlyMap<string, InstitutionSlice>;
  readonly targets: TargetTypes;
  readonly schoolYear: string | null;
  readonly now: Date;
}): Promise<readonly PersonWithoutAlias[]> {
  const { tx, policy, institutions, schoolYear } = p;
  await tx.execute(
    `create temporary table wanted (target text, kind text, key text, institution text, title text,
       person_id uuid, needs text[], body jsonb, opens timestamptz) on commit drop`,
  );
  const withoutAlias: PersonWithoutAlias[] = [];

  const duplicateNames = findDuplicateNames({
    policy,
    schoolYear,
    institutions: institutions.values(),
    groups: await readGroupHeads({ tx, institutions }),
  });

  const withRoles = await readPeopleWithRoles({
    tx,
    roles: Object.keys(policy.courses.categoryRoles),
  });

  async function* desire(): AsyncGenerator<DesiredResource> {
    const context = { policy, institutions, schoolYear, duplicateNames };
    for (const institution of institutions.values()) {
      const people = withRoles.get(institution.key) ?? [];
      yield* desireInstitution({ ...context, institution, people });
    }
    for await (const group of readGroups({ tx, institutions })) {
      yield* desireGroup({ ...context, group });
    }
    for await (const person of readPeople(tx)) {
      const resources = desirePerson({ policy, person, institutions });
      yield* resources;
      const institution = resources[0]?.institution;
      if (institution && needsAlias(person)) withoutAlias.push({ person: person.id, institution });
    }
  }

  async function* rows(): AsyncGenerator<Record<string, unknown>> {
    for await (const resource of desire()) {
      for (const target of routeResource({ ...p, resource })) {
        const opens = resource.opens === undefined ? null : `${resource.opens}T00:00:00Z`;
        const body = opens === null ? resource.body : { ...resource.body, active: false };
        yield { ...resource, target, person_id: resource.person, opens, body };
      }
    }
  }

  await tx.insert({
    table: 'wanted',
    columns: {
      target: 'text',
      kind: 'text',
      key: 'text',
      institution: 'text',
      title: 'text',
      person_id: 'uuid',
      needs: 'text[]',
      body: 'jsonb',
      opens: 'timestamptz',
    },
    rows: rows(),
  });
  await tx.execute('create unique index on wanted (target, kind, key)');
  await keepOpen(p);
  await tx.execute('analyze wanted');
  return withoutAlias;
}

/** A first day ahead shuts no account that is open already, and nothing shuts one that an operator keeps. */
async function keepOpen(p: { readonly tx: Transaction; readonly now: Date }): Promise<void> {
  await p.tx.execute(
    `update wanted w set body = w.body || '{"active": true}', opens = null
     from resource r
     where r.target = w.target and r.kind = w.kind and r.key = w.key and w.person_id is not null
       and (r.desired->>'active')::boolean and not (w.body->>'active')::boolean
       and (w.opens is not null
            or ${isKept({ person: 'w.person_id', today: '$1', kinds: ['keep'] })})`,
    [dayOf(p.now)],
  );
}
