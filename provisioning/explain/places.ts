/** Why somebody is in a group, folder or course. No I/O. */
import type { Policy } from '../policy/schema.ts';
import type { PlaceRow } from './ledger.ts';
import type { AffiliationRow, MembershipRow } from './roster.ts';
import type { Sentence } from './words.ts';
import { danishRole, day, join } from './words.ts';

export interface Place extends PlaceRow {
  readonly because: Sentence;
}

type Roster = {
  readonly memberships: readonly MembershipRow[];
  readonly affiliations: readonly AffiliationRow[];
};

export function explainPlace(
  p: Roster & {
    readonly place: PlaceRow;
    readonly policy: Policy;
    readonly titles: ReadonlyMap<string, string>;
  },
): Place {
  const { place } = p;
  if (place.through.length === 0)
    return { ...place, because: explainKey({ ...p, key: place.key }) };
  const ways = place.through.map((key): Sentence => {
    const title = p.titles.get(`${place.target}/${key}`) ?? key;
    const { en, da } = explainKey({ ...p, key });
    return { en: `by the group ${title}: ${en}`, da: `gennem gruppen ${title}: ${da}` };
  });
  return { ...place, because: join(ways, { en: '; ', da: '; ' }) };
}

/** A key of a resource says whose it is: of a group of the roster, or of a school and a rule. */
function explainKey(
  p: Roster & { readonly key: string; readonly policy: Policy; readonly place: PlaceRow },
): Sentence {
  const group = /^group:(.*?)(?::teachers)?$/.exec(p.key)?.[1];
  if (group !== undefined) return explainMembership({ ...p, group });
  const [, institution = '', rule] = /^school:([^:]*)(?::(.*))?$/.exec(p.key) ?? [];
  const at = p.affiliations.filter((one) => one.institution === institution);
  const name = at[0]?.institutionName ?? institution;
  const roles = [...new Set(at.flatMap((one) => [one.kind, ...one.roles]))];
  const byRule = rule === undefined ? '' : ` (${rule})`;
  return {
    en: `${roles.join(', ') || 'affiliated'} at ${name}${byRule}`,
    da: `${[...new Set(roles.map(danishRole))].join(', ') || 'tilknyttet'} på ${name}${byRule}`,
  };
}

function explainMembership(p: Roster & { readonly group: string }): Sentence {
  const ways = p.memberships.filter((one) => one.group === p.group && one.state !== 'ended');
  const present = ways.filter((one) => one.state === 'present');
  const told = present.length > 0 ? present : ways;
  if (told.length === 0) {
    return {
      en: `the roster has no membership of ${p.group} any more: the next plan takes it away`,
      da: `data har ikke længere et medlemskab af ${p.group}: den næste plan tager det bort`,
    };
  }
  return join(
    told.map((one): Sentence => {
      const name = one.groupName ?? one.group;
      const main = one.main && one.role === 'learner';
      const since = one.changedAt === null ? '' : day(one.changedAt);
      const gone = one.goneAt === null ? '' : day(one.goneAt);
      return {
        en: `${one.role} in ${name}${main ? ' (home class)' : ''} by the feed ${one.source}, as read on ${since}${gone === '' ? '' : `, and gone since ${gone}: it stays until the account is closed`}`,
        da: `${danishRole(one.role)} i ${name}${main ? ' (stamklasse)' : ''} ifølge ${one.source}, læst den ${since}${gone === '' ? '' : `, og væk siden ${gone}: det bliver, til kontoen lukkes`}`,
      };
    }),
    { en: '; ', da: '; ' },
  );
}
