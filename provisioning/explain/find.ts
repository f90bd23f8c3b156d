import { peopleKnownAs } from '../plan/find-person.ts';
import { shownName } from '../policy/shown-name.ts';
import type { Database } from '../store/database.ts';

/** Somebody who fits what was asked for, as people may be shown. */
export interface Match {
  readonly id: string;
  readonly name: string;
  readonly username: string | null;
  /** Names of the institutions where the person is or was. */
  readonly institutions: readonly string[];
}

interface MatchRow {
  readonly id: string;
  readonly given: string | null;
  readonly family: string | null;
  readonly protected: boolean;
  readonly username: string | null;
  readonly institutions: readonly string[];
}

/**
 * Finds people by our own id, username or UNI-ID, and where none of these is the text just so, by a
 * part of the name that is shown. Protected people are found by their alias: the roster has no other
 * name of theirs.
 */
export async function findPeople(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly text: string;
  readonly limit: number;
}): Promise<readonly Match[]> {
  const text = p.text.trim().toLowerCase();
  if (text === '') return [];
  const rows = await p.database.as(p.tenant, async (tx) => {
    const exact = await peopleKnownAs({ tx, text });
    return tx.query<MatchRow & Record<string, unknown>>(
      `select p.id, r.given, r.family, coalesce(r.protected, false) as protected, u.username,
              array(select distinct coalesce(i.body->>'name', a.institution)
                    from recognition g
                    join record a on a.source = g.source and a.entity = 'affiliation' and a.person = g.record_key
                    left join record i on i.source = a.source and i.entity = 'institution' and i.key = a.institution
                    where g.person_id = p.id order by 1) as institutions
       from person p
       left join username u on u.person_id = p.id
       left join lateral (
         select r.body->>'given' as given, r.body->>'family' as family,
                (r.body->>'protected')::boolean as protected
         from recognition g
         join record r on r.source = g.source and r.entity = 'person' and r.key = g.record_key
         where g.person_id = p.id
         -- One voice for protection is enough: only the alias may be seen, and only by it one is found.
         order by (r.body->>'protected')::boolean desc, r.source, r.key limit 1) r on true
       where case when cardinality($1::uuid[]) > 0 then p.id = any($1)
                  else strpos(lower(concat_ws(' ', r.given, r.family)), $2) > 0
                    or (r.given is null and r.family is null and strpos(lower($3), $2) > 0) end
       order by r.family, r.given, p.id limit $4`,
      [exact, text, placeholder, p.limit],
    );
  });
  return rows.map((row) => ({
    id: row.id,
    name: shownName(row).full,
    username: row.username,
    institutions: row.institutions,
  }));
}

/** What somebody protected without an alias is called. */
const placeholder = shownName({ protected: true, given: null, family: null }).full;
