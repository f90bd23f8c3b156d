import type { Answer, Ask } from './exchange.ts';

/** Something that goes wrong on purpose with one request. */
export type Fault =
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** The server answers this and does nothing. */
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** The connection breaks: before the work is done, or after it, so that only the answer is lost. */
  | { readonly kind: 'reset'; readonly when: 'before' | 'after' }
  /** Creating an account stops after its first row, as the deadlock of parallel creates makes it. */
  | { readonly kind: 'break-off' };

/** Asked once per request; null lets it pass. */
export type FaultHook = (ask: Ask) => Fault | null;
