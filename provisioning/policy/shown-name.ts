import { cleanPersonName, cutCodePoints } from './naming.ts';
import type { PersonSlice } from './resource.ts';

interface ShownName {
  /** Never empty: Keycloak and Moodle refuse a blank one. */
  readonly given: string;
  readonly family: string;
  /** At most 64 code points, Nextcloud's limit for a display name. */
  readonly full: string;
}

type Named = Pick<PersonSlice, 'protected' | 'given' | 'family'>;

/**
 * What stands in for a protected person without an alias: a neutral Danish text that many people can
 * share and that says nothing about anybody. STIL's own aliases look much the same.
 */
const placeholderName = { given: 'Navn', family: 'Beskyttet' } as const;

/** What stands in for a name part that the feed does not have (people with one name only). */
const missingPart = '-';

/**
 * The name that every target, plan and list shows. The slice already holds the alias of a protected
 * person; what is not there is never guessed from a username, an e-mail or an id.
 */
export function shownName(person: Named): ShownName {
  const given = cleanPersonName(person.given);
  const family = cleanPersonName(person.family);
  if (given === '' && family === '') {
    return person.protected ? whole(placeholderName) : whole({ given: 'Navn', family: 'Mangler' });
  }
  return whole({ given, family });
}

/** True for a protected person without an alias: shown as the placeholder, and the school must be told. */
export function needsAlias(person: Named): boolean {
  return (
    person.protected &&
    cleanPersonName(person.given) === '' &&
    cleanPersonName(person.family) === ''
  );
}

function whole(p: { readonly given: string; readonly family: string }): ShownName {
  return {
    given: p.given === '' ? missingPart : p.given,
    family: p.family === '' ? missingPart : p.family,
    full: cutCodePoints(`${p.given} ${p.family}`.trim(), 64).trim(),
  };
}
