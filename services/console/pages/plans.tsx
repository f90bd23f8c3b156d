import { useState } from 'preact/hooks';
import type { Plan } from '../../api/shapes.ts';
import type { Refusal } from '../api.ts';
import { readPlans, refusalOf } from '../api.ts';
import { formatNumber, formatTime } from '../format.ts';
import { Await, Failure, useLoaded } from '../load.tsx';
import { ActionCounts, StateBadge, sumChanges } from '../parts/change-words.tsx';
import { Link } from '../router.tsx';
import { useWords } from '../words.ts';
import { countHeld } from './overview.tsx';

export function PlansPage() {
  const words = useWords();
  const first = useLoaded('plans', () => readPlans(null));
  return (
    <>
      <h1>{words.plans.heading}</h1>
      <p class="lead">{words.plans.lead}</p>
      <Await loaded={first}>
        {(page) =>
          page.items.length === 0 ? (
            <p class="quiet">{words.plans.none}</p>
          ) : (
            <PlanTable first={page.items} next={page.next} />
          )
        }
      </Await>
    </>
  );
}

function PlanTable(p: { readonly first: readonly Plan[]; readonly next: string | null }) {
  const words = useWords();
  const [more, setMore] = useState({ items: [] as readonly Plan[], next: p.next });
  const [failure, setFailure] = useState<Refusal | null>(null);

  async function load(): Promise<void> {
    try {
      const page = await readPlans(more.next);
      setMore({ items: [...more.items, ...page.items], next: page.next });
      setFailure(null);
    } catch (error) {
      setFailure(refusalOf(error));
    }
  }

  return (
    <>
      <div class="table--responsive-scroll">
        <table class="table stacked">
          <thead>
            <tr>
              <th scope="col">{words.plans.made}</th>
              <th scope="col">{words.plans.state}</th>
              <th scope="col">{words.plans.changes}</th>
              <th scope="col" class="number">
                {words.plans.held}
              </th>
            </tr>
          </thead>
          <tbody>
            {[...p.first, ...more.items].map((plan) => (
              <tr key={plan.id}>
                <th scope="row">
                  <Link to={`/plans/${plan.id}`}>{formatTime(words, plan.createdAt)}</Link>
                </th>
                <td data-title={words.plans.state}>
                  <StateBadge state={plan.state} />
                  <Notes plan={plan} />
                </td>
                <td data-title={words.plans.changes}>
                  <ActionCounts counts={sumChanges(plan)} />
                </td>
                <td class="number" data-title={words.plans.held}>
                  {formatNumber(words, countHeld(plan))}
                </td>
              </tr>
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

/** What sets a plan apart from the daily one. */
function Notes(p: { readonly plan: Plan }) {
  const words = useWords();
  const { undoes, replans, fourEyes, state, committedBy } = p.plan;
  const notes = [
    committedBy === null ? null : words.plans.by(committedBy),
    undoes === null ? null : words.plans.undoes,
    replans === null ? null : words.plans.replans,
    fourEyes && state === 'open' ? words.plans.fourEyes : null,
  ].filter((note) => note !== null);
  return notes.length === 0 ? null : <span class="under">{notes.join(' · ')}</span>;
}
