/** What is done to a feed, and what it then truly says: the oracle of the proof knows no reader. */
import type { Random } from '../../services/generator/random.ts';

/** File name -> content; a mutation changes it in place. */
export type Files = Map<string, Buffer>;

/** What a mutated feed earns. Whatever is not named here must stay. */
export interface Earned {
  /** UNI-IDs of people who are truly gone from a complete file: account and places may go. */
  readonly leavers: Set<string>;
  /** UNI-IDs of people whose places the feed truly says otherwise; not their accounts. */
  readonly moved: Set<string>;
  /** Group keys that are truly gone, or have other people. */
  readonly groups: Set<string>;
  /** Institutions of which so much is truly said otherwise that only the limits judge it; `*`: all. */
  readonly mass: Set<string>;
}

export interface Mutation {
  readonly name: string;
  readonly apply: (p: {
    readonly files: Files;
    readonly random: Random;
    readonly earned: Earned;
  }) => void;
}

export function nothingEarned(): Earned {
  return { leavers: new Set(), moved: new Set(), groups: new Set(), mass: new Set() };
}

export function pickFile(p: { readonly files: Files; readonly random: Random }): string {
  return p.random.pick([...p.files.keys()].sort());
}

export function textOf(files: Files, name: string): string {
  return files.get(name)?.toString('utf8') ?? '';
}

export function put(files: Files, name: string, text: string): void {
  files.set(name, Buffer.from(text, 'utf8'));
}

export function shuffled<T>(random: Random, items: readonly T[]): readonly T[] {
  return random.sample(items, items.length);
}

/** Damage that any file can take. */
export const anyFile: readonly Mutation[] = [
  {
    name: 'an empty file',
    apply: (p) => p.files.set(pickFile(p), Buffer.alloc(0)),
  },
  {
    name: 'letters of another charset',
    apply: (p) => {
      const name = pickFile(p);
      p.files.set(name, Buffer.from(textOf(p.files, name), 'latin1'));
    },
  },
  {
    name: 'a byte order mark',
    apply: (p) => {
      const name = pickFile(p);
      put(p.files, name, `\uFEFF${textOf(p.files, name)}`);
    },
  },
  {
    name: 'bytes of rubbish at the end',
    apply: (p) => {
      const name = pickFile(p);
      const rubbish = Buffer.from([0, 255, 254, 0, 13, 10, 60, 44]);
      p.files.set(name, Buffer.concat([p.files.get(name) ?? Buffer.alloc(0), rubbish]));
    },
  },
  { name: 'the same again', apply: () => {} },
];
