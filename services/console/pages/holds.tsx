import { useState } from 'preact/hooks';
import type { Hold } from '../../api/holds.ts';
import type { Plan } from '../../api/shapes.ts';
import { readHolds, readInstitutions, readPlans } from '../api.ts';
import { formatNumber, formatTime } from '../format.ts';
import { Await, useLoaded } from '../load.tsx';
import { DecidedHold, OpenHold } from '../parts/hold-card.tsx';
import { Link } from '../router.tsx';
import { useWords, wordFor } from '../words.ts';

type Held = Plan['held'][number];

export function HoldsPage(p: { readonly mayWrite: boolean }) {
  const words = useWords();
  const [round, setRound] = useState(0);
  const loaded = useLoaded(`holds ${round}`, async () => {
    const [open, decided, plans, institutions] = await Promise.all([
      readHolds({ state: 'open', cursor: null }),
      readHolds({ state: 'decided', cursor: null }),
      readPlans(null),
      readInstitutions(),
    ]);
    const names = new Map(institutions.items.map((one) => [one.key, one.name]));
    const [plan = null] = plans.items;
    return {
      open,
      decided,
      names,
      plan: plan === null ? null : { plan, held: tellApart(plan, open, decided) },
    };
  });
  return (
    <>
      <h1>{words.holds.heading}</h1>
      <p class="lead">{words.holds.lead}</p>
      <Await loaded={loaded}>
        {({ open, decided, names, plan }) => {
          const shared = { names, mayWrite: p.mayWrite, onChanged: () => setRound(round + 1) };
          return (
            <>
              {open.items.length === 0 && (plan === null || plan.held.length === 0) ? (
                <div class="alert alert-success plain">
                  <p class="alert-heading">{words.holds.none}</p>
                  <p class="alert-text">{words.holds.noneText}</p>
                </div>
              ) : null}
              <HoldList {...shared} key={`open ${round}`} state="open" first={open} />
              {plan === null || plan.held.length === 0 ? null : (
                <PlanHeld {...plan} names={names} />
              )}
              {decided.items.length === 0 ? null : (
                <>
                  <h2>{words.holds.decidedHeading}</h2>
                  <HoldList {...shared} key={`decided ${round}`} state="decided" first={decided} />
                </>
              )}
            </>
          );
        }}
      </Await>
    </>
  );
}

interface HoldPage {
  readonly items: readonly Hold[];
  readonly next: string | null;
}

/** What the plan holds and the inbox does not know of, such as an adoption that is unclear. */
function tellApart(plan: Plan, ...pages: readonly HoldPage[]): readonly Held[] {
  const known = new Set(
    pages.flatMap((page) => page.items.map((hold) => `${hold.institution} ${hold.code}`)),
  );
  return plan.held.filter((held) => !known.has(`${held.institution} ${held.code}`));
}

function HoldList(p: {
  readonly state: 'open' | 'decided';
  readonly first: HoldPage;
  readonly names: ReadonlyMap<string, string>;
  readonly mayWrite: boolean;
  readonly onChanged: () => void;
}) {
  const words = useWords();
  const [more, setMore] = useState({ items: [] as readonly Hold[], next: p.first.next });

  async function load(): Promise<void> {
    const page = await readHolds({ state: p.state, cursor: more.next });
    setMore({ items: [...more.items, ...page.items], next: page.next });
  }

  return (
    <>
      {[...p.first.items, ...more.items].map((hold) =>
        p.state === 'open' ? (
          <OpenHold
            key={hold.id}
            hold={hold}
            names={p.names}
            mayWrite={p.mayWrite}
            onDecided={p.onChanged}
          />
        ) : (
          <DecidedHold
            key={hold.id}
            hold={hold}
            names={p.names}
            mayWrite={p.mayWrite}
            onRevoked={p.onChanged}
          />
        ),
      )}
      {more.next === null ? null : (
        <button type="button" class="button button-secondary mt-4" onClick={() => void load()}>
          {words.plans.more}
        </button>
      )}
    </>
  );
}

function PlanHeld(p: {
  readonly plan: Plan;
  readonly held: readonly Held[];
  readonly names: ReadonlyMap<string, string>;
}) {
  const words = useWords();
  return (
    <>
      <h2>{words.holds.planHeading}</h2>
      <p>
        <Link to={`/plans/${p.plan.id}`}>
          {words.plans.title(formatTime(words, p.plan.createdAt))}
        </Link>
      </p>
      {group(p.held).map((held) => (
        <HoldCard key={held.key} plan={p.plan} held={held.entries} names={p.names} />
      ))}
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
const withChanges = (code: string) =>
  code === 'adoption-ambiguous' || (code.startsWith('limit-') && !onlyTell.has(code));
const onlyTell = new Set(['limit-institution-missing', 'limit-source-silent']);

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
        {withChanges(code) && code.startsWith('limit-') && code !== 'limit-drift' ? (
          <p>
            <code>skolebus sync --allow {institution}</code>
          </p>
        ) : null}
        {withChanges(code) ? <Link to={list}>{words.holds.see}</Link> : null}
      </div>
    </article>
  );
}

function HoldCount(p: { readonly entry: Held }) {
  const words = useWords();
  const { entry } = p;
  const kind = wordFor({ among: words.kinds, code: entry.kind });
  const [count, of] = [formatNumber(words, entry.count), formatNumber(words, entry.of)];
  if (entry.kind === 'source') return <strong>{words.holds.lossOf(count, of)}</strong>;
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
