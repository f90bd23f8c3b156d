/** What a hold means, what can be decided about it, and what each choice does. No I/O. */

export interface Sentence {
  readonly da: string;
  readonly en: string;
}

export interface HoldChoice {
  readonly choice: string;
  readonly does: Sentence;
}

/** A person that a hold's evidence names, as people may be shown. */
export interface NamedPerson {
  readonly id: string;
  /** Alias-safe; null for somebody without an account. */
  readonly title: string | null;
}

type Family = 'limit' | 'identity' | 'alias' | 'undone' | 'remedy';

interface Entry {
  readonly family: Family;
  readonly why: Sentence;
}

const entries: Readonly<Record<string, Entry>> = {
  'limit-deactivate': {
    family: 'limit',
    why: {
      en: 'So many at once look like an incomplete export. What would be closed or deleted at the institution is held; the rest goes on.',
      da: 'Så mange på én gang ligner en ufuldstændig eksport. Det, der ville blive lukket eller slettet på institutionen, er holdt tilbage; resten går videre.',
    },
  },
  'limit-drift': {
    family: 'remedy',
    why: {
      en: "So much is missing in the target at once that it looks like a missing right or a restored copy. Look at the server; if it was really deleted, run skolebus drift with --allow and the target's name.",
      da: 'Så meget mangler på én gang i systemet, at det ligner en manglende rettighed eller en gendannet kopi. Se på serveren; er det virkelig slettet, så kør skolebus drift med --allow og systemets navn.',
    },
  },
  'identity-contradiction': {
    family: 'identity',
    why: {
      en: 'Two ids of one record point to different people. Skolebus never merges people on a guess, so the record is nobody until somebody says who it is.',
      da: 'To id’er i én post peger på forskellige personer. Skolebus slår aldrig personer sammen på et gæt, så posten er ingen, før nogen siger, hvem det er.',
    },
  },
  'identity-shared': {
    family: 'identity',
    why: {
      en: 'Two different people stand in the feed with one and the same id. Neither is changed until somebody says who has it.',
      da: 'To forskellige personer står i data med ét og samme id. Ingen af dem ændres, før nogen siger, hvem der har det.',
    },
  },
  'relation-contradiction': {
    family: 'identity',
    why: {
      en: 'A guardian or a membership is registered in a way that contradicts what is known. It is not passed on, so that nobody sees a stranger’s child.',
      da: 'En værge eller et medlemskab er registreret, så det strider mod det kendte. Det gives ikke videre, så ingen ser et fremmed barn.',
    },
  },
  'protected-without-alias': {
    family: 'alias',
    why: {
      en: 'A protected person has no alias and is shown by a neutral placeholder. The remedy is at the school: it enters an alias in its administration system; the next feed settles this.',
      da: 'En person med navnebeskyttelse har intet dæknavn og vises med en neutral tekst. Skolen løser det: den skriver et dæknavn i sit administrative system, og næste indlæsning klarer resten.',
    },
  },
  undone: {
    family: 'undone',
    why: {
      en: 'The feed asks again for what somebody has turned back. It is held, so that the undoing stays.',
      da: 'Data beder igen om det, som nogen har fortrudt. Det er holdt tilbage, så fortrydelsen bliver stående.',
    },
  },
  'adoption-ambiguous': {
    family: 'remedy',
    why: {
      en: 'Something alike stands in the target, but the evidence does not point at one and the same. Correct the username or the UNI-ID there, then propose again with skolebus adopt.',
      da: 'Noget lignende står i systemet, men oplysningerne peger ikke på ét og samme. Ret brugernavnet eller UNI-ID’et dér, og foreslå igen med skolebus adopt.',
    },
  },
};

const families: readonly { readonly prefix: string; readonly entry: Entry }[] = [
  {
    prefix: 'limit-',
    entry: {
      family: 'limit',
      why: {
        en: 'The plan would do more of this at the institution than its limit lets pass. It is held there; the rest goes on.',
        da: 'Planen ville gøre mere af dette på institutionen, end grænsen tillader. Det er holdt tilbage dér; resten går videre.',
      },
    },
  },
  {
    prefix: 'identity-',
    entry: {
      family: 'identity',
      why: {
        en: 'The evidence does not say who this is. The record is nobody until somebody says so.',
        da: 'Oplysningerne siger ikke, hvem det er. Posten er ingen, før nogen siger det.',
      },
    },
  },
  {
    prefix: 'relation-',
    entry: {
      family: 'identity',
      why: {
        en: 'A relation contradicts what is known of the people in it. It is not passed on.',
        da: 'En relation strider mod det, man ved om personerne. Den gives ikke videre.',
      },
    },
  },
];

const unknown: Entry = {
  family: 'remedy',
  why: {
    en: 'This waits for a person. The plan that holds it says more.',
    da: 'Det venter på et menneske. Planen, der holder det tilbage, siger mere.',
  },
};

function entryFor(code: string): Entry {
  if (Object.hasOwn(entries, code)) return entries[code] ?? unknown;
  return families.find(({ prefix }) => code.startsWith(prefix))?.entry ?? unknown;
}

export function whyHeld(code: string): Sentence {
  return entryFor(code).why;
}

/** @param p.people those whom the hold's evidence names: nobody else can be chosen */
export function choicesFor(p: {
  readonly code: string;
  readonly people: readonly NamedPerson[];
}): readonly HoldChoice[] {
  switch (entryFor(p.code).family) {
    case 'limit':
      return [
        {
          choice: 'allow',
          does: {
            en: 'It is right: the next plan carries it out.',
            da: 'Det er rigtigt: den næste plan gør det.',
          },
        },
        {
          choice: 'refuse',
          does: {
            en: 'It is wrong: it stays held, and nobody is asked while the decision is in force.',
            da: 'Det er forkert: det forbliver holdt tilbage, og ingen spørges, så længe afgørelsen gælder.',
          },
        },
      ];
    case 'undone':
      return [
        {
          choice: 'allow',
          does: {
            en: 'The feed is right by now: the next plan does it again.',
            da: 'Data er rigtige nu: den næste plan gør det igen.',
          },
        },
        {
          choice: 'refuse',
          does: {
            en: 'The undoing stays, whatever the feed says.',
            da: 'Fortrydelsen bliver stående, hvad data end siger.',
          },
        },
      ];
    case 'identity':
      return [
        ...p.people.map(({ id, title }) => ({
          choice: `same:${id}`,
          does: {
            en: `It is ${title ?? `person ${id}`}: the next feed recognises the record as that person.`,
            da: `Det er ${title ?? `person ${id}`}: næste indlæsning genkender posten som den person.`,
          },
        })),
        {
          choice: 'new',
          does: {
            en: 'It is somebody else: the next feed makes a new person of the record.',
            da: 'Det er en anden: næste indlæsning gør posten til en ny person.',
          },
        },
        wait,
      ];
    case 'alias':
      return [wait];
    case 'remedy':
      return [];
  }
}

const wait: HoldChoice = {
  choice: 'wait',
  does: {
    en: 'Nothing changes; the inbox does not show it meanwhile.',
    da: 'Intet ændres; imens vises det ikke her.',
  },
};
