import type { Selection } from '../api.ts';

export const partNames = ['institution', 'target', 'kind', 'action'] as const;
export type PartName = (typeof partNames)[number];
export type Mode = 'all' | 'part' | 'ticked' | 'except';

/** What somebody means to approve or commit, as the page holds it. */
export interface Choice {
  readonly mode: Mode;
  /** An empty list means all of them. */
  readonly part: Readonly<Record<PartName, readonly string[]>>;
  /** Numbers of single changes. */
  readonly ticks: ReadonlySet<number>;
}

/** The API takes no more single changes than this. */
export const mostTicks = 1500;

export const wholePlan: Choice = {
  mode: 'all',
  part: { institution: [], target: [], kind: [], action: [] },
  ticks: new Set(),
};

/** As the API takes it; null: nothing is chosen. */
export function toSelection(choice: Choice): Selection | null {
  const { mode, part, ticks } = choice;
  const seqs = [...ticks].sort((a, b) => a - b);
  switch (mode) {
    case 'all':
      return {};
    case 'part': {
      const lists = partNames.filter((name) => part[name].length > 0);
      if (lists.length === 0) return null;
      return Object.fromEntries(lists.map((name) => [name, [...part[name]].sort()]));
    }
    case 'ticked':
      return seqs.length === 0 ? null : { seqs };
    case 'except':
      return seqs.length === 0 ? {} : { seqs, except: true };
  }
}

/** Turns ticks on or off, as far as there is room for more. */
export function tick(p: {
  readonly choice: Choice;
  readonly seqs: readonly number[];
  readonly on: boolean;
}): Choice {
  const ticks = new Set(p.choice.ticks);
  for (const seq of p.seqs) {
    if (!p.on) ticks.delete(seq);
    else if (ticks.size < mostTicks) ticks.add(seq);
  }
  return { ...p.choice, ticks };
}

export function togglePart(p: {
  readonly choice: Choice;
  readonly name: PartName;
  readonly value: string;
}): Choice {
  const { choice, name, value } = p;
  const list = choice.part[name];
  const next = list.includes(value) ? list.filter((one) => one !== value) : [...list, value];
  return { ...choice, part: { ...choice.part, [name]: next } };
}
