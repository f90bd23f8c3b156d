import type { Transaction } from '../store/database.ts';

/**
 * Whom an operator means: by username, UNI-ID or our own id. Names are not looked at.
 *
 * @returns the person's id
 * @throws PersonError `person-unknown`, or `person-ambiguous` where one's username is another's UNI-ID
 */
export async function findPerson(p: {
  readonly tx: Transaction;
  readonly text: string;
}): Promise<string> {
  const people = await peopleKnownAs(p);
  const [only, ...others] = people;
  if (only === undefined) {
    throw new PersonError({
      code: 'person-unknown',
      message: 'Nobody is known by this username, UNI-ID or id.',
    });
  }
  if (others.length > 0) {
    throw new PersonError({
      code: 'person-ambiguous',
      message: `This is one person's username and another's UNI-ID. Say which by id: ${people.join(', ')}.`,
    });
  }
  return only;
}

/** Everybody with just this id, username or UNI-ID, in any letter case: nobody, one, or rarely two. */
export async function peopleKnownAs(p: {
  readonly tx: Transaction;
  readonly text: string;
}): Promise<readonly string[]> {
  const rows = await p.tx.query<{ person: string }>(
    `select id as person from person where id::text = $1
     union select person_id from username where username = $1
     union select person_id from evidence where system = 'uni-id' and value = $1
     order by person`,
    [p.text.trim().toLowerCase()],
  );
  return rows.map(({ person }) => person);
}

/** What an operator asked about a person cannot be done. */
export class PersonError extends Error {
  override readonly name = 'PersonError';
  readonly code:
    | 'person-unknown'
    | 'person-ambiguous'
    | 'until-invalid'
    | 'keep-unknown'
    | 'institution-unknown'
    | 'no-start-password';

  constructor(p: { readonly code: PersonError['code']; readonly message: string }) {
    super(p.message);
    this.code = p.code;
  }
}
