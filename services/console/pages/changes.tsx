import { useEffect, useState } from 'preact/hooks';
import type { Change } from '../../api/changes.ts';
import type { SummaryRow } from '../../api/plans.ts';
import type { Plan } from '../../api/shapes.ts';
import type { Refusal } from '../api.ts';
import { readChanges, refusalOf } from '../api.ts';
import { formatNumber } from '../format.ts';
import { Await, Failure, useLoaded } from '../load.tsx';
import { ChangeRows } from '../parts/change-row.tsx';
import { actions } from '../parts/change-words.tsx';
import type { Choice } from '../parts/choice.ts';
import { tick } from '../parts/choice.ts';
import { replaceQuery, usePlace } from '../router.tsx';
import { useWords, wordFor } from '../words.ts';

const filterNames = ['target', 'institution', 'kind', 'action', 'held', 'text'] as const;
type Filter = Readonly<Record<(typeof filterNames)[number], string>>;

/** The changes of a plan; what is chosen stands in the address, so that it can be sent to a colleague. */
export function ChangeList(p: {
  readonly plan: Plan;
  readonly summary: readonly SummaryRow[];
  /** Null where nothing can be chosen. */
  readonly choice: Choice | null;
  readonly onChoice: (choice: Choice) => void;
}) {
  const words = useWords();
  const { query } = usePlace();
  const filter = Object.fromEntries(
    filterNames.map((name) => [name, query.get(name) ?? '']),
  ) as Filter;
  const planId = p.plan.id;
  const key = JSON.stringify([planId, p.plan.state, filter]);
  const first = useLoaded(key, async () => ({
    key,
    page: await readChanges({ planId, filter, cursor: null }),
  }));
  return (
    <section aria-labelledby="changes">
      <div class="section-head changes-head">
        <h2 id="changes">{words.plan.changes}</h2>
        {filterNames.some((name) => filter[name] !== '') ? (
          <button type="button" class="plain-button" onClick={() => replaceQuery({})}>
            {words.plan.reset}
          </button>
        ) : null}
      </div>
      <Filters filter={filter} summary={p.summary} />
      <Await loaded={first}>
        {(answer) =>
          answer.page.items.length === 0 ? (
            <p class="quiet">{words.plan.none}</p>
          ) : (
            <ChangeTable
              key={answer.key}
              plan={p.plan}
              choice={p.choice}
              onChoice={p.onChoice}
              filter={filter}
              first={answer.page.items}
              next={answer.page.next}
              total={countMatching(p.summary, filter)}
            />
          )
        }
      </Await>
    </section>
  );
}

/** Null where only the server can know: a part of a title. */
function countMatching(summary: readonly SummaryRow[], filter: Filter): number | null {
  if (filter.text !== '') return null;
  return summary
    .filter(
      (row) =>
        (filter.target === '' || row.target === filter.target) &&
        (filter.institution === '' || row.institution === filter.institution) &&
        (filter.kind === '' || row.kind === filter.kind) &&
        (filter.action === '' || row.action === filter.action) &&
        (filter.held === '' || row.held === (filter.held === 'true')),
    )
    .reduce((total, row) => total + row.count, 0);
}

function Filters(p: { readonly filter: Filter; readonly summary: readonly SummaryRow[] }) {
  const words = useWords();
  const { filter } = p;
  const set = (change: Partial<Filter>) => replaceQuery({ ...filter, ...change });
  const options = {
    institution: [
      ...new Map(
        p.summary
          .filter((row) => row.institution !== null)
          .map((row) => [row.institution ?? '', row.institutionName ?? row.institution ?? '']),
      ),
    ],
    target: named(
      p.summary.map((row) => row.target),
      words.targets,
    ),
    kind: named(
      p.summary.map((row) => row.kind),
      words.kinds,
    ),
    action: actions.map((action) => [action, words.actions[action]] as const),
    held: [
      ['true', words.plan.heldOnly],
      ['false', words.plan.unheldOnly],
    ] as const,
  };
  const labels = {
    institution: words.plan.school,
    target: words.plan.target,
    kind: words.plan.kind,
    action: words.plan.action,
    held: words.plan.held,
  };
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      {(['institution', 'target', 'kind', 'action', 'held'] as const).map((name) => (
        <div key={name}>
          <label class="form-label" for={`filter-${name}`}>
            {labels[name]}
          </label>
          <select
            class="form-select"
            id={`filter-${name}`}
            value={filter[name]}
            onChange={(event) => set({ [name]: event.currentTarget.value })}
          >
            <option value="">{words.plan.all}</option>
            {options[name].map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </div>
      ))}
      <TextFilter text={filter.text} onText={(text) => set({ text })} />
    </form>
  );
}

function named(codes: readonly string[], among: Readonly<Record<string, string>>) {
  return [...new Set(codes)].map((code) => [code, wordFor({ among, code })] as const);
}

/** Asks the server when the typing rests. */
function TextFilter(p: { readonly text: string; readonly onText: (text: string) => void }) {
  const words = useWords();
  const [text, setText] = useState(p.text);
  useEffect(() => setText(p.text), [p.text]);
  // Only what is typed starts the wait anew.
  useEffect(() => {
    if (text === p.text) return;
    const timer = setTimeout(() => p.onText(text.trim()), 300);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div>
      <label class="form-label" for="filter-text">
        {words.plan.text}
      </label>
      <input
        class="form-input"
        id="filter-text"
        type="search"
        maxLength={100}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </div>
  );
}

function ChangeTable(p: {
  readonly plan: Plan;
  readonly choice: Choice | null;
  readonly onChoice: (choice: Choice) => void;
  readonly filter: Filter;
  readonly first: readonly Change[];
  readonly next: string | null;
  readonly total: number | null;
}) {
  const words = useWords();
  const [more, setMore] = useState({ items: [] as readonly Change[], next: p.next });
  const [failure, setFailure] = useState<Refusal | null>(null);
  const changes = [...p.first, ...more.items];
  const total = p.total === null ? null : formatNumber(words, p.total);
  const { choice } = p;
  const ticking = choice?.mode === 'ticked' || choice?.mode === 'except' ? choice : null;

  async function load(): Promise<void> {
    try {
      const page = await readChanges({ planId: p.plan.id, filter: p.filter, cursor: more.next });
      setMore({ items: [...more.items, ...page.items], next: page.next });
      setFailure(null);
    } catch (error) {
      setFailure(refusalOf(error));
    }
  }

  const onTick = (seqs: readonly number[], on: boolean) => {
    if (ticking !== null) p.onChoice(tick({ choice: ticking, seqs, on }));
  };
  const shown = words.plan.showing(formatNumber(words, changes.length), total);
  return (
    <>
      <div class="shown-line">
        <p class="quiet small shown-count" role="status">
          {shown}
        </p>
        {ticking === null ? null : (
          <TickAll changes={changes} ticks={ticking.ticks} onTick={onTick} />
        )}
      </div>
      <div class="table--responsive-scroll">
        <table class={`table stacked changes ${ticking === null ? '' : 'ticking'}`}>
          <thead>
            <tr>
              {ticking === null ? null : (
                <th scope="col" class="tick">
                  <span class="sr-only">{words.plan.tick}</span>
                </th>
              )}
              <th scope="col">{words.plan.who}</th>
              <th scope="col">{words.plan.school}</th>
              <th scope="col">{words.plan.action}</th>
              <th scope="col">{words.plan.when}</th>
              <th scope="col">{words.plan.why}</th>
            </tr>
          </thead>
          <tbody>
            {changes.map((change) => (
              <ChangeRows
                key={change.seq}
                plan={p.plan}
                change={change}
                ticked={ticking === null ? null : ticking.ticks.has(change.seq)}
                onTick={(on) => onTick([change.seq], on)}
              />
            ))}
          </tbody>
        </table>
      </div>
      {failure === null ? null : <Failure refusal={failure} />}
      {more.next === null ? null : (
        <button type="button" class="button button-secondary" onClick={() => void load()}>
          {words.plans.more}
        </button>
      )}
    </>
  );
}

/** Ticks all that the list shows by now; held ones cannot be committed. */
function TickAll(p: {
  readonly changes: readonly Change[];
  readonly ticks: ReadonlySet<number>;
  readonly onTick: (seqs: readonly number[], on: boolean) => void;
}) {
  const words = useWords();
  const free = p.changes.filter((change) => change.held === null).map((change) => change.seq);
  const all = free.length > 0 && free.every((seq) => p.ticks.has(seq));
  return (
    <div class="form-group-checkbox">
      <input
        type="checkbox"
        class="form-checkbox"
        id="tick-shown"
        checked={all}
        disabled={free.length === 0}
        onChange={() => p.onTick(free, !all)}
      />
      <label class="form-label" for="tick-shown">
        {words.plan.tickShown}
      </label>
    </div>
  );
}
