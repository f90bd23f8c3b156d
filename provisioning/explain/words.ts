/** Sentences of an explanation, in Danish and English. No I/O. */
import type { UnmetList } from '../policy/explain-packages.ts';
import type { CauseSentence } from '../target/cause-sentences.ts';

export type Sentence = CauseSentence;

export const day = (date: Date | string): string => new Date(date).toISOString().slice(0, 10);

/** A time of the day in UTC, as everywhere in Skolebus. */
export const moment = (date: Date | string): string =>
  `${new Date(date).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const listWords: Readonly<Record<UnmetList['list'], Sentence>> = {
  kinds: { en: 'kind', da: 'tilknytning' },
  roles: { en: 'role', da: 'rolle' },
  grades: { en: 'grade', da: 'klassetrin' },
  institutions: { en: 'institution', da: 'institution' },
  institutionKinds: { en: 'kind of institution', da: 'slags institution' },
  groupKinds: { en: 'kind of group', da: 'slags gruppe' },
};

/** `role must be pupil or student, and is child` */
export function describeUnmet(unmet: UnmetList): Sentence {
  const { en, da } = listWords[unmet.list];
  const [wanted, has] = [unmet.wanted, unmet.has];
  return {
    en: `${en} must be ${wanted.join(' or ')}, and is ${has.join(', ') || 'not given'}`,
    da: `${da} skal være ${wanted.join(' eller ')}, og er ${has.join(', ') || 'ikke oplyst'}`,
  };
}

export function join(sentences: readonly Sentence[], separator: Sentence): Sentence {
  return {
    en: sentences.map(({ en }) => en).join(separator.en),
    da: sentences.map(({ da }) => da).join(separator.da),
  };
}

const reasons: Readonly<Record<string, Sentence>> = {
  new: { en: 'new in the feed', da: 'ny i data' },
  changed: { en: 'changed in the feed', da: 'ændret i data' },
  moved: { en: 'moved to another group or class', da: 'flyttet til en anden gruppe eller klasse' },
  renamed: { en: 'has another name', da: 'har fået et andet navn' },
  members: { en: 'other people in it', da: 'andre personer i den' },
  returned: { en: 'is back in the feed', da: 'er tilbage i data' },
  stays: { en: 'is back before the grace period was over', da: 'er tilbage, før fristen var gået' },
  left: { en: 'is no longer in the feed', da: 'er ikke længere i data' },
  shut: { en: 'must not be open any more', da: 'må ikke længere være åben' },
  'retention-over': { en: 'the retention is over', da: 'opbevaringstiden er gået' },
  drift: { en: 'was changed in the target by hand', da: 'blev ændret i systemet i hånden' },
  'drift-missing': {
    en: 'was deleted in the target by hand',
    da: 'blev slettet i systemet i hånden',
  },
  'drift-accepted': {
    en: 'was changed by hand, which policy accepts',
    da: 'blev ændret i hånden, hvad reglerne godtager',
  },
};

export function describeReason(code: string): Sentence {
  const known = reasons[code];
  if (known !== undefined) return known;
  if (code.startsWith('adopt-')) {
    return { en: 'was linked to what stood there', da: 'blev knyttet til det, der stod der' };
  }
  return { en: code, da: code };
}

const roleWords: Readonly<Record<string, string>> = {
  pupil: 'elev',
  staff: 'ansat',
  external: 'ekstern',
  guardian: 'værge',
  child: 'barn',
  student: 'elev',
  teacher: 'lærer',
  pedagogue: 'pædagog',
  substitute: 'vikar',
  leader: 'leder',
  management: 'ledelse',
  support: 'støtte',
  consultant: 'konsulent',
  trainee: 'praktikant',
  learner: 'elev',
  lead: 'primær lærer',
  assistant: 'hjælpelærer',
  member: 'medlem',
};

/** A kind of affiliation, a role at a school or in a group, in Danish. */
export function danishRole(role: string): string {
  return roleWords[role] ?? role;
}
