/**
 * The part of a plan that somebody approves. A list that is left out means all; a change is named when
 * it fits every list that is given.
 */
export interface Selection {
  readonly institution?: readonly string[];
  readonly target?: readonly string[];
  readonly kind?: readonly string[];
  readonly action?: readonly string[];
  /** Numbers of single changes. */
  readonly seqs?: readonly number[];
  /** Everything but what the lists name: a rejection. */
  readonly except?: boolean;
}

const lists = [
  ['institution', 'c.institution'],
  ['target', 'c.target'],
  ['kind', 'c.kind'],
  ['action', 'c.action'],
  ['seqs', 'c.seq'],
] as const;

/** SQL: whether the selection in the jsonb expression `selection` approves the change `c`. */
export function approves(selection: string): string {
  const fits = lists.map(
    ([name, column]) =>
      `(${selection}->'${name}' is null or coalesce(${selection}->'${name}' @> to_jsonb(${column}), false))`,
  );
  return `((${fits.join(' and ')}) <> coalesce((${selection}->>'except')::boolean, false))`;
}

/**
 * SQL: the same for a selection given as values (`selectionValues`), the first of three as `$first`. Single
 * changes are looked up apart from the lists: with 1,500 of them among 100,000 changes the list took
 * 13 s, the array 1.1 s.
 */
export function selects(first: number): string {
  const [lists, seqs, except] = [
    `$${first}::jsonb`,
    `$${first + 1}::int[]`,
    `$${first + 2}::boolean`,
  ];
  return `((${approves(lists)} and (${seqs} is null or c.seq = any(${seqs}))) <> ${except})`;
}

export function selectionValues(selection: Selection): readonly unknown[] {
  const { seqs, except = false, ...others } = selection;
  return [JSON.stringify(others), seqs ?? null, except];
}

/** Whether the selection leaves nothing out. */
export function isWhole(selection: Selection): boolean {
  return selection.except !== true && lists.every(([name]) => selection[name] === undefined);
}
