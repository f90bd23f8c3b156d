import { useState } from 'preact/hooks';
import type { Plan } from '../../api/shapes.ts';
import type { Movement, Status } from '../../api/status.ts';
import type { Refusal } from '../api.ts';
import { readStatus, refusalOf, retryTarget } from '../api.ts';
import { formatNumber, formatPercent, formatTime, formatWait } from '../format.ts';
import { Await, Failure, useLoaded } from '../load.tsx';
import { Bar, Ring } from '../parts/bar.tsx';
import { QueueLine } from '../parts/queue-line.tsx';
import { SnapshotFacts } from '../parts/snapshot-facts.tsx';
import { Link } from '../router.tsx';
import { useMovement } from '../stream.ts';
import { useSpeech, useWords, wordFor } from '../words.ts';

export function OverviewPage(p: { readonly mayWrite: boolean }) {
  const words = useWords();
  const { movement, lost } = useMovement();
  // A new plan, or one that was committed, changes more than the stream tells.
  const planKey = movement?.plan ? `${movement.plan.id} ${movement.plan.state}` : '';
  const status = useLoaded(planKey, readStatus);
  return (
    <Await loaded={status}>
      {(loaded) => {
        const now = { ...loaded, ...(movement === null ? {} : pick(movement)) };
        return (
          <>
            <Hero status={now} />
            <Notices status={now} />
            <section aria-labelledby="targets">
              <div class="section-head">
                <h2 id="targets">{words.targetsHeading}</h2>
                <p class={`live ${lost ? 'live-lost' : ''}`} role="status">
                  {lost ? words.lost : words.live}
                </p>
              </div>
              <TargetCards progress={now.progress} />
            </section>
            <Causes causes={now.causes} mayWrite={p.mayWrite} />
            <LatestSnapshot status={now} mayWrite={p.mayWrite} />
          </>
        );
      }}
    </Await>
  );
}

function pick({ at, progress, causes, queues }: Movement) {
  return { at, progress, causes, queues };
}

type Rows = Status['progress'];

function sum(rows: Rows, what: 'settled' | 'due' | 'failed' | 'scheduled'): number {
  return rows.reduce((total, row) => total + row[what], 0);
}

function Hero(p: { readonly status: Status }) {
  const words = useWords();
  const { progress } = p.status;
  const [right, due, failed] = [
    sum(progress, 'settled'),
    sum(progress, 'due'),
    sum(progress, 'failed'),
  ];
  const total = right + due + failed;
  const share = total === 0 ? 0 : right / total;
  const answer = () => {
    if (total === 0) return words.ready.empty;
    if (share === 1) return words.ready.yes;
    if (failed > 0 && due === 0) return words.ready.failing;
    return share > 0.9 ? words.ready.nearly : words.ready.working;
  };
  const tone = share === 1 ? 'good' : failed > 0 && due === 0 ? 'bad' : 'busy';
  return (
    <section class="hero">
      <div>
        <h1>{words.ready.question}</h1>
        <p class="answer">{answer()}</p>
        {total === 0 ? null : (
          <p class="lead">
            {words.ready.sentence(formatNumber(words, right), formatNumber(words, total))}
          </p>
        )}
        <ul class="legend">
          {(['settled', 'due', 'failed', 'scheduled'] as const).map((state) => (
            <li key={state} class={`legend-${state}`}>
              {words.bars[state]} <strong>{formatNumber(words, sum(progress, state))}</strong>
            </li>
          ))}
        </ul>
      </div>
      <Ring
        share={share}
        figure={formatPercent(words, { part: right, of: total })}
        caption={words.ready.share}
        tone={tone}
      />
    </section>
  );
}

export function countHeld(plan: Plan | null): number {
  return (plan?.held ?? []).reduce((total, held) => total + held.count, 0);
}

function Notices(p: { readonly status: Status }) {
  const words = useWords();
  const { plan, snapshots } = p.status;
  const held = countHeld(plan);
  return (
    <>
      {snapshots[0]?.state === 'refused' ? (
        <div class="alert alert-error plain">
          <p class="alert-text">
            {words.ready.refused} <Link to="/feed">{words.ready.seeFeed}</Link>
          </p>
        </div>
      ) : null}
      {plan?.state === 'open' ? (
        <div class="alert alert-info plain">
          <p class="alert-text">
            {words.ready.openPlan} <Link to={`/plans/${plan.id}`}>{words.ready.seePlan}</Link>
          </p>
        </div>
      ) : null}
      {held === 0 ? null : (
        <div class="alert alert-warning plain">
          <p class="alert-text">
            {words.ready.held(formatNumber(words, held))}{' '}
            <Link to="/holds">{words.ready.seeHolds}</Link>
          </p>
        </div>
      )}
    </>
  );
}

function TargetCards(p: { readonly progress: Rows }) {
  const words = useWords();
  const targets = [...new Set(p.progress.map((row) => row.target))];
  return (
    <div class="cards">
      {targets.map((target) => {
        const rows = p.progress.filter((row) => row.target === target);
        const right = sum(rows, 'settled');
        const total = right + sum(rows, 'due') + sum(rows, 'failed');
        return (
          <article key={target} class="card">
            <div class="card-content">
              <div class="card-kicker">{wordFor({ among: words.targetRoles, code: target })}</div>
              <div class="card-title">
                <h3>{wordFor({ among: words.targets, code: target })}</h3>
                <span class={right === total ? 'figure figure-good' : 'figure'}>
                  {formatPercent(words, { part: right, of: total })}
                </span>
              </div>
              {rows.map((row) => {
                const name = wordFor({ among: words.kinds, code: row.kind });
                const all = row.settled + row.due + row.failed;
                return (
                  <div key={row.kind} class="kind">
                    <div class="kind-line">
                      <span>{name}</span>
                      <span class="quiet">
                        {words.of(formatNumber(words, row.settled), formatNumber(words, all))}
                      </span>
                    </div>
                    <Bar shares={row} label={name} />
                    <KindNotes row={row} />
                  </div>
                );
              })}
            </div>
          </article>
        );
      })}
    </div>
  );
}

function KindNotes(p: { readonly row: Rows[number] }) {
  const words = useWords();
  const notes = (['due', 'failed', 'scheduled'] as const).filter((state) => p.row[state] > 0);
  if (notes.length === 0) return null;
  return (
    <p class="kind-notes">
      {notes.map((state) => (
        <span key={state} class={`note-${state}`}>
          {words.bars[state]} {formatNumber(words, p.row[state])}
        </span>
      ))}
    </p>
  );
}

function Causes(p: { readonly causes: Status['causes']; readonly mayWrite: boolean }) {
  const words = useWords();
  const text = words.causes;
  if (p.causes.length === 0) return null;
  return (
    <section aria-labelledby="causes">
      <h2 id="causes">{text.heading}</h2>
      <div class="table--responsive-scroll">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">{text.what}</th>
              <th scope="col">{text.why}</th>
              <th scope="col" class="number">
                {text.count}
              </th>
              <th scope="col">{text.next}</th>
            </tr>
          </thead>
          <tbody>
            {p.causes.map((cause) => (
              <tr key={`${cause.target} ${cause.kind} ${cause.state} ${cause.code}`}>
                <th scope="row">
                  {wordFor({ among: words.targets, code: cause.target })}
                  <span class="under">{wordFor({ among: words.kinds, code: cause.kind })}</span>
                </th>
                <td>
                  <Why cause={cause} />
                </td>
                <td class="number">{formatNumber(words, cause.count)}</td>
                <td>
                  {cause.state === 'failed' ? text.byHand : formatWait(words, cause.nextInSeconds)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {p.mayWrite ? <RetryButtons causes={p.causes} /> : null}
    </section>
  );
}

function Why(p: { readonly cause: Status['causes'][number] }) {
  const { words, language } = useSpeech();
  const { code, sentence, state } = p.cause;
  if (code === null || sentence === null) return <>{words.causes.untried}</>;
  return (
    <>
      {state === 'failed' ? <span class="dot dot-failed" aria-hidden="true" /> : null}
      {sentence[language]}
      <code class="under">{code}</code>
    </>
  );
}

function RetryButtons(p: { readonly causes: Status['causes'] }) {
  const words = useWords();
  const [done, setDone] = useState<string | null>(null);
  const [failure, setFailure] = useState<Refusal | null>(null);
  const targets = new Set(p.causes.filter((c) => c.state === 'failed').map((c) => c.target));

  async function retry(target: string): Promise<void> {
    try {
      const { retried } = await retryTarget(target);
      setDone(words.causes.retried(formatNumber(words, retried)));
      setFailure(null);
    } catch (error) {
      setFailure(refusalOf(error));
    }
  }

  return (
    <>
      {[...targets].map((target) => (
        <button
          key={target}
          type="button"
          class="button button-secondary mr-3"
          onClick={() => void retry(target)}
        >
          {words.causes.retry}: {wordFor({ among: words.targets, code: target })}
        </button>
      ))}
      {done === null ? null : <p role="status">{done}</p>}
      {failure === null ? null : <Failure refusal={failure} />}
    </>
  );
}

function LatestSnapshot(p: { readonly status: Status; readonly mayWrite: boolean }) {
  const words = useWords();
  const snapshot = p.status.snapshots.find((one) => one.state === 'accepted');
  if (snapshot === undefined) return null;
  return (
    <section aria-labelledby="latest">
      <div class="section-head">
        <h2 id="latest">{words.latest}</h2>
        <p class="quiet">
          {formatTime(words, snapshot.readAt)} · {snapshot.format}
          {snapshot.schoolYear === null ? '' : ` · ${snapshot.schoolYear}`}
        </p>
      </div>
      <SnapshotFacts snapshot={snapshot} />
      {p.status.queues === null ? null : (
        <QueueLine queues={p.status.queues} mayOpen={p.mayWrite} />
      )}
    </section>
  );
}
