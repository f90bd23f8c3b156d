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

/** Whether the selection leaves nothing out. */
export function isWhole(selection: Selection): boolean {
  return selection.except !== true && lists.every(([name]) => selection[name] === undefined);
}
