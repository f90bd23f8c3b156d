import { useRef, useState } from 'preact/hooks';
import type { SummaryRow } from '../../api/plans.ts';
import type { Plan } from '../../api/shapes.ts';
import { AnswerError, commitPlan, makeKey, readPlan, readSummary } from '../api.ts';
import { formatNumber, formatTime } from '../format.ts';
import { Await, Failure, useLoaded } from '../load.tsx';
import type { Counts } from '../parts/change-words.tsx';
import { ActionCounts, ActionLegend, StateBadge, sumChanges } from '../parts/change-words.tsx';
import { Link } from '../router.tsx';
import { useWords, wordFor } from '../words.ts';
import { ChangeList } from './changes.tsx';
import { countHeld } from './overview.tsx';

export function PlanPage(p: { readonly id: string; readonly mayWrite: boolean }) {
  const words = useWords();
  const [round, setRound] = useState(0);
  const [done, setDone] = useState<string | null>(null);
  const loaded = useLoaded(`${p.id} ${round}`, async () => ({
    plan: await readPlan(p.id),
    summary: (await readSummary(p.id)).items,
  }));
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
        {({ plan, summary }) => (
          <>
            <div class="title-row">
              <h1>{words.plans.title(formatTime(words, plan.createdAt))}</h1>
              <StateBadge state={plan.state} />
            </div>
            {done === null ? null : (
              <div class="alert alert-success plain" role="status">
                <p class="alert-text">{done}</p>
              </div>
            )}
            {plan.state === 'open' && p.mayWrite ? (
              <CommitBox
                plan={plan}
                onDone={(text) => {
                  setDone(text);
                  setRound(round + 1);
                }}
              />
            ) : null}
            <SummaryTable summary={summary} />
            <ChangeList planId={plan.id} state={plan.state} summary={summary} />
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

function CommitBox(p: { readonly plan: Plan; readonly onDone: (text: string) => void }) {
  const words = useWords();
  const text = words.plan;
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const [key] = useState(makeKey);
  const counts = sumChanges(p.plan);
  const count = counts.create + counts.adopt + counts.update + counts.deactivate + counts.delete;

  async function commit(): Promise<void> {
    setBusy(true);
    try {
      const report = await commitPlan({ id: p.plan.id, key });
      p.onDone(text.done(formatNumber(words, report.committed), formatNumber(words, report.held)));
    } catch (error) {
      setFailure(error instanceof AnswerError ? error.code : 'internal');
    } finally {
      setBusy(false);
      dialog.current?.close();
    }
  }

  return (
    <>
      <section class="panel" aria-labelledby="open-plan">
        <div>
          <h2 id="open-plan" class="h4">
            {text.openHeading}
          </h2>
          <p>{text.openText}</p>
          {countHeld(p.plan) === 0 ? null : (
            <p>
              {words.ready.held(formatNumber(words, countHeld(p.plan)))}{' '}
              <Link to="/holds">{words.ready.seeHolds}</Link>
            </p>
          )}
        </div>
        <button
          type="button"
          class="button button-primary"
          onClick={() => dialog.current?.showModal()}
        >
          {text.commit}
        </button>
      </section>
      {failure === null ? null : <Failure code={failure} />}
      <dialog ref={dialog} class="dialog" aria-labelledby="sure">
        <h2 id="sure">{text.sure}</h2>
        <p>{text.sureText(formatNumber(words, count))}</p>
        <div class="buttons">
          <button
            type="button"
            class="button button-primary"
            disabled={busy}
            onClick={() => void commit()}
          >
            {text.commit}
          </button>
          <button
            type="button"
            class="button button-secondary"
            onClick={() => dialog.current?.close()}
          >
            {text.cancel}
          </button>
        </div>
      </dialog>
    </>
  );
}

function SummaryTable(p: { readonly summary: readonly SummaryRow[] }) {
  const words = useWords();
  const targets = [...new Set(p.summary.map((row) => row.target))].sort();
  const schools = [...new Map(p.summary.map((row) => [row.institution, row.institutionName]))];
  if (p.summary.length === 0) return <p class="quiet">{words.plans.nothing}</p>;
  const cell = (rows: readonly SummaryRow[]) => {
    const held = rows.filter((row) => row.held).reduce((total, row) => total + row.count, 0);
    const moving = rows.filter((row) => !row.held);
    return (
      <>
        {moving.length === 0 && held > 0 ? null : <ActionCounts counts={countActions(moving)} />}
        {held === 0 ? null : (
          <span class="badge badge-warning small-badge">
            {words.outcomes.held} {formatNumber(words, held)}
          </span>
        )}
      </>
    );
  };
  return (
    <section aria-labelledby="summary">
      <div class="section-head">
        <h2 id="summary">{words.plan.summary}</h2>
        <ActionLegend />
      </div>
      <div class="table--responsive-scroll">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">{words.plan.school}</th>
              {targets.map((target) => (
                <th key={target} scope="col">
                  {wordFor({ among: words.targets, code: target })}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {schools.map(([institution, name]) => (
              <tr key={institution}>
                <th scope="row">
                  {name ?? institution ?? words.plan.everywhere}
                  {name === null ? null : <span class="under">{institution}</span>}
                </th>
                {targets.map((target) => (
                  <td key={target}>
                    {cell(
                      p.summary.filter((r) => r.institution === institution && r.target === target),
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{words.plan.total}</th>
              {targets.map((target) => (
                <td key={target}>{cell(p.summary.filter((row) => row.target === target))}</td>
              ))}
            </tr>
          </tfoot>
        </table>
      </div>
    </section>
  );
}

function countActions(rows: readonly SummaryRow[]): Counts {
  const counts = { create: 0, adopt: 0, update: 0, deactivate: 0, delete: 0 };
  for (const row of rows) counts[row.action] += row.count;
  return counts;
}
