import { findPerson, PersonError } from '../plan/find-person.ts';
import type { Database } from '../store/database.ts';

/** An account that was made with a start password. */
export interface StartingAccount {
  readonly key: string;
  /** As plans show the person; alias-safe. */
  readonly title: string;
  readonly username: string;
  readonly institution: string | null;
  /** Names of the groups the account is in, sorted; among them the class. */
  readonly groups: readonly string[];
}

/** Accounts of one institution that stand in the target with a start password, by class and name. */
export async function listStartingAccounts(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly target: string;
  readonly institution: string;
}): Promise<readonly StartingAccount[]> {
  return p.database.as(p.tenant, (tx) =>
    tx.query<StartingAccount>(
      `select r.key, r.title, r.applied->>'username' as username, r.institution,
         coalesce((select array_agg(g.title order by g.title) from resource g
           where g.target = r.target and g.kind = 'group' and g.key like 'group:%'
             and r.applied->'groups' ? g.key), '{}') as groups
       from resource r
       where r.target = $1 and r.kind = 'account' and r.institution = $2
         and r.applied ? 'startPassword' and (r.applied->>'active')::boolean
       order by groups, r.title, r.key`,
      [p.target, p.institution],
    ),
  );
}

/**
 * Sets the start password of one person once more, for whoever has forgotten another one; before everything
 * else. The words are those of the first time, and what opened the account before opens it no more.
 *
 * @param p.text username, UNI-ID or our own id
 * @returns the person's id
 * @throws PersonError when it is nobody, or somebody without an open account that started with one
 */
export async function startAgain(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly text: string;
}): Promise<string> {
  return p.database.as(p.tenant, async (tx) => {
    const person = await findPerson({ tx, text: p.text });
    const accounts = await tx.execute(
      `update resource set start_again = gen_random_uuid(), state = 'due', lane = 'now', due_at = now(),
              failure = null, changed_at = now()
       where person_id = $1 and kind = 'account' and desired ? 'startPassword'
         and (desired->>'active')::boolean`,
      [person],
    );
    if (accounts > 0) return person;
    throw new PersonError({
      code: 'no-start-password',
      message:
        'This person has no open account with a start password: the policy gives none (keycloak.startPasswords), or the account is shut.',
    });
  });
}
