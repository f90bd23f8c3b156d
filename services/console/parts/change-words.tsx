import type { Change } from '../../api/changes.ts';
import type { Plan } from '../../api/shapes.ts';
import { formatNumber } from '../format.ts';
import type { Words } from '../words.ts';
import { useWords, wordFor } from '../words.ts';

export const actions = ['create', 'adopt', 'update', 'deactivate', 'delete'] as const;
export type Action = (typeof actions)[number];
export type Counts = Readonly<Record<Action, number>>;

/** Read by the eye; the word stands beside it for everybody else. */
export const actionSigns: Readonly<Record<Action, string>> = {
  create: '+',
  adopt: '=',
  update: '~',
  deactivate: '−',
  delete: '×',
};

export function sumChanges(plan: Plan): Counts {
  const counts = { create: 0, adopt: 0, update: 0, deactivate: 0, delete: 0 };
  for (const kinds of Object.values(plan.changes)) {
    for (const ofKind of Object.values(kinds)) {
      for (const action of actions) counts[action] += ofKind[action] ?? 0;
    }
  }
  return counts;
}

export function ActionCounts(p: { readonly counts: Counts }) {
  const words = useWords();
  const shown = actions.filter((action) => p.counts[action] > 0);
  if (shown.length === 0) return <span class="quiet">{words.plans.nothing}</span>;
  return (
    <span class="counts">
      {shown.map((action) => (
        <span key={action} class={`count count-${action}`}>
          <span aria-hidden="true">{actionSigns[action]}</span>
          <span class="sr-only">{words.actions[action]} </span>
          {formatNumber(words, p.counts[action])}
        </span>
      ))}
    </span>
  );
}

export function ActionLegend() {
  const words = useWords();
  return (
    <ul class="sign-legend" aria-label={words.plan.legend}>
      {actions.map((action) => (
        <li key={action}>
          <span class={`count count-${action}`} aria-hidden="true">
            {actionSigns[action]}
          </span>{' '}
          {words.actions[action]}
        </li>
      ))}
    </ul>
  );
}

const stateTones: Readonly<Record<string, string>> = {
  open: 'badge-info',
  committed: 'badge-success',
  accepted: 'badge-success',
  refused: 'badge-error',
  held: 'badge-warning',
  stale: 'badge-warning',
};

export function StateBadge(p: { readonly state: string }) {
  const words = useWords();
  return (
    <span class={`badge ${stateTones[p.state] ?? 'badge-calm'}`}>
      {wordFor({ among: words.states, code: p.state })}
    </span>
  );
}

/** Why a change is planned: the reason in words, then what turns into what. */
export function ReasonText(p: { readonly change: Change }) {
  const words = useWords();
  const { reason, action } = p.change;
  // What is made or deleted has all its fields among them; they are told when it is unfolded.
  const fields = action === 'create' || action === 'delete' ? [] : reason.fields;
  return (
    <>
      {wordFor({ among: words.reasons, code: reason.code })}
      {fields.length === 0 ? null : (
        <ul class="fields">
          {fields.map((field) => (
            <li key={field.field}>
              <span class="field-name">{wordFor({ among: words.fields, code: field.field })}</span>
              {'added' in field ? (
                <span class="lists">
                  <Entries field={field.field} entries={field.removed} sign="removed" />
                  <Entries field={field.field} entries={field.added} sign="added" />
                </span>
              ) : (
                <span>
                  {showValue(words, field.from)} <span aria-hidden="true">→</span>
                  <span class="sr-only">{words.plan.to}</span>{' '}
                  <strong>{showValue(words, field.to)}</strong>
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** Entries of a list that come or go. */
export function Entries(p: {
  readonly field: string;
  readonly entries: readonly string[];
  readonly sign: 'added' | 'removed';
}) {
  const words = useWords();
  // Attributes come as their name and one of their values.
  const show = (entry: string) => {
    const [name = '', ...values] = entry.split(' ');
    if (p.field !== 'attributes') return entry;
    return [wordFor({ among: words.attributes, code: name }), ...values].join(' ');
  };
  if (p.entries.length === 0) return null;
  return (
    <span class="lists">
      {p.entries.map((entry) => (
        <span
          key={entry}
          class={`count ${p.sign === 'added' ? 'count-create' : 'count-deactivate'}`}
        >
          <span aria-hidden="true">{p.sign === 'added' ? '+' : '−'}</span>
          <span class="sr-only">{words.plan[p.sign]} </span> {show(entry)}
        </span>
      ))}
    </span>
  );
}

/** Members are counted, not named: `24 people`. */
export function showValue(words: Words, value: string | null): string {
  if (value === null || value === '') return words.nothing;
  const [, people] = /^(\d+) people$/.exec(value) ?? [];
  if (people !== undefined) return words.people(formatNumber(words, Number(people)));
  return wordFor({ among: words.values, code: value });
}
