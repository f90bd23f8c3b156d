import { danish } from './cause-danish.ts';
import { english } from './cause-english.ts';

/** One cause in both languages: what happened, and what to do. */
export interface CauseSentence {
  readonly da: string;
  readonly en: string;
}

/** Codes that a server makes up itself come behind a prefix; what they mean is in their detail. */
const families: readonly { readonly prefix: string; readonly sentence: CauseSentence }[] = [
  {
    prefix: 'moodle-',
    sentence: {
      da: 'Moodle afviste den med sin egen kode. Slå koden op i Moodles log.',
      en: 'Moodle refused it with a code of its own. Look the code up in the log of Moodle.',
    },
  },
];

const unknown: CauseSentence = {
  da: 'Systemet tog ikke imod den. Loggen siger mere.',
  en: 'The server did not take it. The log says more.',
};

/** Whether the code has a sentence of its own or belongs to a family of codes. */
export function isKnownCause(code: string): boolean {
  return Object.hasOwn(english, code) || families.some(({ prefix }) => code.startsWith(prefix));
}

/** What a row's code means to people. A code that this version does not know gets a general sentence. */
export function sentenceFor(code: string): CauseSentence {
  if (isCause(code)) return { da: danish[code], en: english[code] };
  return families.find(({ prefix }) => code.startsWith(prefix))?.sentence ?? unknown;
}

function isCause(code: string): code is keyof typeof english {
  return Object.hasOwn(english, code);
}
