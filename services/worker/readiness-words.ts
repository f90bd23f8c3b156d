import { whyHeld } from '../../provisioning/plan/hold-catalogue.ts';
import type { CauseSentence } from '../../provisioning/target/cause-sentences.ts';
import { isKnownCause, sentenceFor } from '../../provisioning/target/cause-sentences.ts';

/** Why something is missing. */
export const missingCauses = [
  'queued',
  'calm-window',
  'put-off',
  'no-pace',
  'circuit',
  'brake',
  'stuck',
  'failed',
  'blocked',
  'held',
  'approval',
] as const;
export type MissingCause = (typeof missingCauses)[number];

const sentences: Readonly<
  Record<Exclude<MissingCause, 'put-off' | 'stuck' | 'failed' | 'held' | 'circuit'>, CauseSentence>
> = {
  queued: {
    en: 'It waits for its turn and needs nobody.',
    da: 'Det venter på sin tur og kræver ingenting.',
  },
  'calm-window': {
    en: 'It waits for the end of the calm window.',
    da: 'Det venter, til roperioden er forbi.',
  },
  'no-pace': {
    en: 'It waits, and nothing was written lately. See whether the worker runs (skolebus serve).',
    da: 'Det venter, og intet er skrevet for nylig. Se efter, om arbejderen kører (skolebus serve).',
  },
  brake: {
    en: 'An operator has stopped the work on it. skolebus queue resume lets it go on.',
    da: 'En operatør har standset arbejdet. skolebus queue resume sætter det i gang igen.',
  },
  blocked: {
    en: 'Something that it needs, such as a group or category, does not stand. See to that first.',
    da: 'Noget, det bygger på, f.eks. en gruppe eller kategori, er der ikke. Se på det først.',
  },
  approval: {
    en: 'The plan that brings it waits for approval.',
    da: 'Planen, der giver det, venter på godkendelse.',
  },
};

/** What happened and what to do, in both languages. */
export function explainMissing(p: {
  readonly cause: MissingCause;
  readonly code: string | null;
}): CauseSentence {
  const { cause, code } = p;
  switch (cause) {
    case 'held':
      return whyHeld(code ?? '');
    case 'put-off':
    case 'stuck':
    case 'failed':
    case 'circuit':
      return sentenceFor(code ?? '');
    case 'blocked': {
      if (code === null || !isKnownCause(code)) return sentences.blocked;
      const { en, da } = sentenceFor(code);
      return { en: `${sentences.blocked.en} ${en}`, da: `${sentences.blocked.da} ${da}` };
    }
    default:
      return sentences[cause];
  }
}
