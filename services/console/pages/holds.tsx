import type { Plan } from '../../api/shapes.ts';
import { readInstitutions, readPlans } from '../api.ts';
import { formatNumber, formatTime } from '../format.ts';
import { Await, useLoaded } from '../load.tsx';
import { Link } from '../router.tsx';
import { useWords, wordFor } from '../words.ts';

type Held = Plan['held'][number];

export function HoldsPage() {
  const words = useWords();
  const loaded = useLoaded('holds', async () => {
    const [plans, institutions] = await Promise.all([readPlans(null), readInstitutions()]);
    const names = new Map(institutions.items.map((one) => [one.key, one.name]));
    return { plan: plans.items[0] ?? null, names };
  });
  return (
    <>
      <h1>{words.holds.heading}</h1>
      <p class="lead">{words.holds.lead}</p>
      <Await loaded={loaded}>
        {({ plan, names }) =>
          plan === null || plan.held.length === 0 ? (
            <div class="alert alert-success plain">
              <p class="alert-heading">{words.holds.none}</p>
              <p class="alert-text">{words.holds.noneText}</p>
            </div>
          ) : (
            <>
              <p>
                <Link to={`/plans/${plan.id}`}>
                  {words.plans.title(formatTime(words, plan.createdAt))}
                </Link>
              </p>
              {group(plan.held).map((held) => (
                <HoldCard key={held.key} plan={plan} held={held.entries} names={names} />
              ))}
            </>
          )
        }
      </Await>
    </>
  );
}

function group(held: readonly Held[]) {
  const groups = new Map<string, Held[]>();
  for (const entry of held) {
    const key = `${entry.institution} ${entry.code}`;
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  return [...groups].map(([key, entries]) => ({ key, entries }));
}

/** Holds that keep changes of the plan back; the others only tell of people. */
const withChanges = new Set(['limit-deactivate', 'adoption-ambiguous', 'limit-drift']);

function HoldCard(p: {
  readonly plan: Plan;
  readonly held: readonly Held[];
  readonly names: ReadonlyMap<string, string>;
}) {
  const words = useWords();
  const [first] = p.held;
  if (first === undefined) return null;
  const { institution, code } = first;
  const codes: Readonly<Record<string, typeof words.holds.other>> = words.holds.codes;
  const text = (Object.hasOwn(codes, code) ? codes[code] : undefined) ?? words.holds.other;
  const list = `/plans/${p.plan.id}?${new URLSearchParams({ institution, held: 'true' })}`;
  return (
    <article class="card hold">
      <div class="card-content">
        <div class="card-kicker">
          {p.names.get(institution) ?? institution} · {institution}
        </div>
        <h2 class="h3">{text.title}</h2>
        <p>{text.text}</p>
        <ul class="hold-counts">
          {p.held.map((entry) => (
            <li key={`${entry.target} ${entry.kind} ${entry.action}`}>
              <HoldCount entry={entry} />
            </li>
          ))}
        </ul>
        <p class="todo">{text.todo}</p>
        {code === 'limit-deactivate' ? (
          <p>
            <code>skolebus sync --allow {institution}</code>
          </p>
        ) : null}
        {withChanges.has(code) ? <Link to={list}>{words.holds.see}</Link> : null}
      </div>
    </article>
  );
}

function HoldCount(p: { readonly entry: Held }) {
  const words = useWords();
  const { entry } = p;
  const kind = wordFor({ among: words.kinds, code: entry.kind });
  const [count, of] = [formatNumber(words, entry.count), formatNumber(words, entry.of)];
  if (entry.target === '*') {
    return <strong>{words.people(count)}</strong>;
  }
  return (
    <>
      <strong>{words.holds.lossOf(count, of)}</strong>{' '}
      <span class="quiet">
        {kind.toLowerCase()} · {wordFor({ among: words.targets, code: entry.target })} ·{' '}
        {words.actions[entry.action].toLowerCase()}
      </span>
    </>
  );
}
