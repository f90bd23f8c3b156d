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
