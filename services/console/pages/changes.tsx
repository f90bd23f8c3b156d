import { useEffect, useState } from 'preact/hooks';
import type { Change } from '../../api/changes.ts';
import type { SummaryRow } from '../../api/plans.ts';
import { AnswerError, readChanges } from '../api.ts';
import { formatDay, formatNumber } from '../format.ts';
import { Await, Failure, useLoaded } from '../load.tsx';
import { actionSigns, actions, ReasonText } from '../parts/change-words.tsx';
import { replaceQuery, usePlace } from '../router.tsx';
import { useWords, wordFor } from '../words.ts';

const filterNames = ['target', 'institution', 'kind', 'action', 'held', 'text'] as const;
type Filter = Readonly<Record<(typeof filterNames)[number], string>>;

/** The changes of a plan; what is chosen stands in the address, so that it can be sent to a colleague. */
export function ChangeList(p: {
  readonly planId: string;
  readonly state: string;
  readonly summary: readonly SummaryRow[];
}) {
  const words = useWords();
  const { query } = usePlace();
  const filter = Object.fromEntries(
    filterNames.map((name) => [name, query.get(name) ?? '']),
  ) as Filter;
  const key = JSON.stringify([p.planId, p.state, filter]);
  const first = useLoaded(key, async () => ({
    key,
    page: await readChanges({ planId: p.planId, filter, cursor: null }),
  }));
  return (
    <section aria-labelledby="changes">
      <h2 id="changes">{words.plan.changes}</h2>
      <Filters filter={filter} summary={p.summary} />
      <Await loaded={first}>
        {(answer) =>
          answer.page.items.length === 0 ? (
            <p class="quiet">{words.plan.none}</p>
          ) : (
            <ChangeTable
              key={answer.key}
              planId={p.planId}
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
        (filter.held !== 'true' || row.held),
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
  };
  const labels = {
    institution: words.plan.school,
    target: words.plan.target,
    kind: words.plan.kind,
    action: words.plan.action,
  };
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      {(['institution', 'target', 'kind', 'action'] as const).map((name) => (
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
      <div class="form-group-checkbox filter-held">
        <input
          type="checkbox"
          class="form-checkbox"
          id="filter-held"
          checked={filter.held === 'true'}
          onChange={(event) => set({ held: event.currentTarget.checked ? 'true' : '' })}
        />
        <label class="form-label" for="filter-held">
          {words.plan.heldOnly}
        </label>
      </div>
      {filterNames.some((name) => filter[name] !== '') ? (
        <button type="button" class="button button-tertiary" onClick={() => replaceQuery({})}>
          {words.plan.reset}
        </button>
      ) : null}
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
  readonly planId: string;
  readonly filter: Filter;
  readonly first: readonly Change[];
  readonly next: string | null;
  readonly total: number | null;
}) {
  const words = useWords();
  const [more, setMore] = useState({ items: [] as readonly Change[], next: p.next });
  const [failure, setFailure] = useState<string | null>(null);
  const changes = [...p.first, ...more.items];
  const total = p.total === null ? null : formatNumber(words, p.total);

  async function load(): Promise<void> {
    try {
      const page = await readChanges({ planId: p.planId, filter: p.filter, cursor: more.next });
      setMore({ items: [...more.items, ...page.items], next: page.next });
      setFailure(null);
    } catch (error) {
      setFailure(error instanceof AnswerError ? error.code : 'internal');
    }
  }

  const shown = words.plan.showing(formatNumber(words, changes.length), total);
  return (
    <>
      <p class="quiet small" role="status">
        {shown}
      </p>
      <div class="table--responsive-scroll">
        <table class="table changes">
          <thead>
            <tr>
              <th scope="col">{words.plan.who}</th>
              <th scope="col">{words.plan.school}</th>
              <th scope="col">{words.plan.action}</th>
              <th scope="col">{words.plan.when}</th>
              <th scope="col">{words.plan.why}</th>
            </tr>
          </thead>
          <tbody>
            {changes.map((change) => (
              <ChangeRow key={change.seq} change={change} />
            ))}
          </tbody>
        </table>
      </div>
      {failure === null ? null : <Failure code={failure} />}
      {more.next === null ? null : (
        <button type="button" class="button button-secondary" onClick={() => void load()}>
          {words.plans.more}
        </button>
      )}
    </>
  );
}

function ChangeRow(p: { readonly change: Change }) {
  const words = useWords();
  const { change } = p;
  const target = wordFor({ among: words.targets, code: change.target });
  const outcome = change.held === null ? change.outcome : 'held';
  return (
    <tr class={change.held === null ? '' : 'held-row'}>
      <th scope="row">
        {change.title}
        <span class="under">
          {wordFor({ among: words.oneOf, code: change.kind })} · {target}
        </span>
      </th>
      <td>{change.institutionName ?? change.institution ?? ''}</td>
      <td>
        <span class={`count count-${change.action}`}>
          <span aria-hidden="true">{actionSigns[change.action]}</span>{' '}
          {words.actions[change.action]}
        </span>
        {outcome === 'held' || outcome === 'stale' ? (
          <span class="badge badge-warning small-badge">{words.outcomes[outcome]}</span>
        ) : null}
      </td>
      <td class="nowrap">
        {change.notBefore === null ? words.plan.atOnce : formatDay(words, change.notBefore)}
      </td>
      <td>
        <ReasonText change={change} />
      </td>
    </tr>
  );
}
