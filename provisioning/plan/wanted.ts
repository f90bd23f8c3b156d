import { desireGroup, desireInstitution, desirePerson } from '../policy/desire.ts';
import type { DesiredResource, InstitutionSlice } from '../policy/resource.ts';
import { findDuplicateNames } from '../policy/resource-rules.ts';
import type { TargetTypes } from '../policy/route.ts';
import { routeResource } from '../policy/route.ts';
import type { Policy } from '../policy/schema.ts';
import { needsAlias } from '../policy/shown-name.ts';
import type { Transaction } from '../store/database.ts';
import type { Held } from './limits.ts';
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

/** What policy wants of the roster as it is now, in the temporary table `wanted` of the transaction. */
export async function gatherWish(p: {
  readonly tx: Transaction;
  readonly policy: Policy;
  readonly targets: TargetTypes;
  readonly schoolYear: string | null;
  readonly now: Date;
}): Promise<{
  readonly institutions: ReadonlyMap<string, InstitutionSlice>;
  readonly withoutAlias: readonly Held[];
}> {
  const { tx } = p;
  await gatherRoster({ tx, today: p.now.toISOString().slice(0, 10) });
  const institutions = await readInstitutions(tx);
  await giveUsernames({ tx, policy: p.policy, institutions });
  await gatherAccountHolders(tx);
  return { institutions, withoutAlias: await gatherWanted({ ...p, institutions }) };
}

/** Runs policy over the roster into the temporary table `wanted`; returns the holds it met on the way. */
export async function gatherWanted(p: {
  readonly tx: Transaction;
  readonly policy: Policy;
  readonly institutions: ReadonlyMap<string, InstitutionSlice>;
  readonly targets: TargetTypes;
  readonly schoolYear: string | null;
}): Promise<readonly Held[]> {
  const { tx, policy, institutions, schoolYear } = p;
  await tx.execute(
    `create temporary table wanted (target text, kind text, key text, institution text, title text,
       person_id uuid, needs text[], body jsonb) on commit drop`,
  );
  const withoutAlias = new Map<string, number>();

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
      if (institution && needsAlias(person)) {
        withoutAlias.set(institution, (withoutAlias.get(institution) ?? 0) + 1);
      }
    }
  }

  async function* rows(): AsyncGenerator<Record<string, unknown>> {
    for await (const resource of desire()) {
      for (const target of routeResource({ ...p, resource })) {
        yield { ...resource, target, person_id: resource.person };
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
    },
    rows: rows(),
  });
  await tx.execute('create unique index on wanted (target, kind, key)');
  await tx.execute('analyze wanted');
  return [...withoutAlias].map(([institution, count]) => ({
    institution,
    target: '*',
    kind: 'account',
    action: 'create',
    code: 'protected-without-alias',
    count,
    of: count,
  }));
}
