import { useState } from 'preact/hooks';
import type { Plan } from '../../api/shapes.ts';
import type { Refusal } from '../api.ts';
import { readCommit, readPlan, readPolicies, readSummary } from '../api.ts';
import { formatTime } from '../format.ts';
import { Await, Failure, useLoaded } from '../load.tsx';
import { StateBadge } from '../parts/change-words.tsx';
import type { Choice } from '../parts/choice.ts';
import { wholePlan } from '../parts/choice.ts';
import { PlanOrigin } from '../parts/plan-origin.tsx';
import { SummaryTable } from '../parts/summary-table.tsx';
import { Link } from '../router.tsx';
import { useWords } from '../words.ts';
import { ChangeList } from './changes.tsx';
import { DecisionBox } from './plan-decide.tsx';
import { DoneBox } from './plan-done.tsx';

export function PlanPage(p: {
  readonly id: string;
  readonly mayWrite: boolean;
  /** Whether everybody who signs in here counts as the same person. */
  readonly oneUser: boolean;
}) {
  const words = useWords();
  const [round, setRound] = useState(0);
  const [moved, setMoved] = useState<Refusal | null>(null);
  const [choice, setChoice] = useState<Choice>(wholePlan);
  const loaded = useLoaded(`${p.id} ${round}`, () => readAll(p.id));
  return (
    <>
      <nav class="breadcrumbs" aria-label={words.menu}>
        <ol class="breadcrumbs__list">
          <li class="breadcrumbs__list-item">
            <Link to="/plans" class="breadcrumbs__link">
              <span aria-hidden="true">‹ </span>
              {words.plans.heading}
            </Link>
          </li>
        </ol>
      </nav>
      <Await loaded={loaded}>
        {({ plan, summary, committed, previews }) => (
          <>
            <div class="title-row">
              <h1>{words.plans.title(formatTime(words, plan.createdAt))}</h1>
              <StateBadge state={plan.state} />
            </div>
            <From plan={plan} />
            {moved === null ? null : <Failure refusal={moved} />}
            <PlanOrigin plan={plan} previews={previews} />
            {plan.state === 'open' ? (
              <DecisionBox
                plan={plan}
                summary={summary}
                choice={choice}
                onChoice={setChoice}
                round={round}
                mayWrite={p.mayWrite}
                oneUser={p.oneUser}
                onMoved={(refusal) => {
                  setMoved(refusal);
                  setRound(round + 1);
                }}
              />
            ) : null}
            {committed === null ? null : (
              <DoneBox plan={plan} committed={committed} mayWrite={p.mayWrite} />
            )}
            {plan.state === 'superseded' ? <Superseded /> : null}
            <SummaryTable summary={summary} />
            <ChangeList
              plan={plan}
              summary={summary}
              choice={plan.state === 'open' && p.mayWrite ? choice : null}
              onChoice={setChoice}
            />
            {plan.hash === null ? null : (
              <p class="quiet small seal">
                {words.plan.seal}: <code>{plan.hash.slice(0, 16)}</code>
              </p>
            )}
          </>
        )}
      </Await>
    </>
  );
}

async function readAll(id: string) {
  const plan = await readPlan(id);
  const [summary, committed, policies] = await Promise.all([
    readSummary(id),
    plan.state === 'committed' ? readCommit(id) : null,
    readPolicies(),
  ]);
  // The first version comes with the first feed's plan; what that changes is not due to new rules.
  const isPreview = plan.snapshot === null;
  const previews = policies.versions.find((one) => one.plan === plan.id)?.version ?? null;
  return { plan, summary: summary.items, committed, previews: isPreview ? previews : null };
}

function From(p: { readonly plan: Plan }) {
  const words = useWords();
  const { snapshot } = p.plan;
  if (snapshot === null) return null;
  return (
    <p class="quiet">{words.plan.from(formatTime(words, snapshot.readAt), snapshot.source)}</p>
  );
}

function Superseded() {
  const words = useWords();
  return (
    <div class="alert alert-info plain">
      <p class="alert-text">
        {words.plan.supersededText} <Link to="/plans">{words.plan.seePlans}</Link>
      </p>
    </div>
  );
}
