import { useState } from 'preact/hooks';
import type { Committed } from '../../api/commit.ts';
import type { Plan } from '../../api/shapes.ts';
import type { Refusal } from '../api.ts';
import { refusalOf, undoPlan } from '../api.ts';
import { formatNumber, formatTime } from '../format.ts';
import { Failure } from '../load.tsx';
import { Facts } from '../parts/facts.tsx';
import { goTo, Link } from '../router.tsx';
import { useWords } from '../words.ts';

const parts = ['committed', 'scheduled', 'held', 'left', 'waiting', 'stale'] as const;

/** What the commit of a plan did, and the way back. */
export function DoneBox(p: {
  readonly plan: Plan;
  readonly committed: Committed;
  readonly mayWrite: boolean;
}) {
  const words = useWords();
  const text = words.done;
  const { report } = p.committed;
  const { committedAt, committedBy } = p.plan;
  const shown = parts.filter((part) => part === 'committed' || report[part] > 0);
  return (
    <section class="decide done" aria-labelledby="done-plan">
      <div class="decide-head" role="status">
        <h2 id="done-plan" class="h3">
          {text.heading}
        </h2>
        {committedAt === null ? null : (
          <p>
            {text.now(formatNumber(words, report.committed))}{' '}
            <span class="quiet">{text.by(formatTime(words, committedAt), committedBy)}</span>
          </p>
        )}
      </div>
      {shown.length === 1 ? null : (
        <Facts
          items={shown.map((part) => ({
            name: text[part],
            value: formatNumber(words, report[part]),
          }))}
        />
      )}
      {report.replanned === null ? null : (
        <div class="alert alert-warning plain">
          <p class="alert-text">
            {text.replanned(formatNumber(words, report.replanned.changes))}{' '}
            <Link to={`/plans/${report.replanned.id}`}>{text.seeNew}</Link>
          </p>
        </div>
      )}
      <WayBack {...p} />
    </section>
  );
}

function WayBack(p: {
  readonly plan: Plan;
  readonly committed: Committed;
  readonly mayWrite: boolean;
}) {
  const words = useWords();
  const text = words.done;
  const { undoneBy, undoUntil } = p.committed;
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Refusal | null>(null);
  const late = undoUntil !== null && undoUntil <= new Date().toISOString();

  async function undo(): Promise<void> {
    setBusy(true);
    try {
      const { id } = await undoPlan(p.plan.id);
      goTo(`/plans/${id}`);
    } catch (error) {
      setFailure(refusalOf(error));
      setBusy(false);
    }
  }

  if (undoneBy?.state === 'committed') {
    return (
      <p>
        {text.undone} <Link to={`/plans/${undoneBy.id}`}>{text.seeUndo}</Link>
      </p>
    );
  }
  if (late) return <p class="quiet">{text.tooLate(formatTime(words, undoUntil))}</p>;
  return (
    <>
      {undoneBy === null ? null : (
        <p>
          {text.undoOpen} <Link to={`/plans/${undoneBy.id}`}>{text.seeUndo}</Link>
        </p>
      )}
      {failure === null ? null : <Failure refusal={failure} />}
      {p.mayWrite ? (
        <div class="way-back">
          <button
            type="button"
            class="button button-secondary"
            disabled={busy}
            onClick={() => void undo()}
          >
            {busy ? text.undoing : text.undo}
          </button>
          <p class="quiet small">
            {text.undoHint(undoUntil === null ? null : formatTime(words, undoUntil))}
          </p>
        </div>
      ) : null}
    </>
  );
}
