import { useRef, useState } from 'preact/hooks';
import type { SummaryRow } from '../../api/plans.ts';
import type { Plan } from '../../api/shapes.ts';
import type { Weighed } from '../../api/weigh.ts';
import type { Refusal, Selection } from '../api.ts';
import { approvePlan, commitPlan, makeKey, refusalOf, weighPlan } from '../api.ts';
import { formatTime } from '../format.ts';
import { Failure, lastOf, useLoaded } from '../load.tsx';
import type { Choice } from '../parts/choice.ts';
import { toSelection } from '../parts/choice.ts';
import { Chooser } from '../parts/chooser.tsx';
import { TwoPeople } from '../parts/two-people.tsx';
import { countGoing, Weight } from '../parts/weight.tsx';
import { useWords } from '../words.ts';

/** Codes that say that the plan is not as this page shows it any more. */
const movedOn = new Set(['plan-not-open', 'plan-expired', 'plan-unknown']);

interface Deciding {
  readonly plan: Plan;
  readonly summary: readonly SummaryRow[];
  readonly choice: Choice;
  readonly onChoice: (choice: Choice) => void;
  /** Goes up whenever the plan was asked for anew. */
  readonly round: number;
  readonly mayWrite: boolean;
  readonly oneUser: boolean;
  /** The plan has moved on: what is shown is to be asked for anew. The refusal says how it was noticed. */
  readonly onMoved: (refusal: Refusal | null) => void;
}

/** What is chosen of an open plan, what that brings along, who wants it, and the commit. */
export function DecisionBox(p: Deciding) {
  const words = useWords();
  const text = words.plan;
  const { expiresAt } = p.plan;
  if (expiresAt !== null && expiresAt <= new Date().toISOString()) {
    return (
      <div class="alert alert-warning plain">
        <p class="alert-heading">{text.expiredHeading}</p>
        <p class="alert-text">{text.expired(formatTime(words, expiresAt))}</p>
      </div>
    );
  }
  return <OpenBox {...p} />;
}

function OpenBox(p: Deciding) {
  const words = useWords();
  const text = words.plan;
  const { plan, choice } = p;
  const selection = toSelection(choice);
  const asked = JSON.stringify([p.round, plan.id, selection]);
  const loaded = useLoaded(asked, async () =>
    selection === null ? null : weighPlan({ id: plan.id, selection }),
  );
  const weighed = lastOf(loaded);
  return (
    <section class="decide" aria-labelledby="open-plan">
      <div class="decide-head">
        <h2 id="open-plan" class="h3">
          {text.openHeading}
        </h2>
        <p>
          {text.openText}{' '}
          {plan.expiresAt === null ? '' : text.until(formatTime(words, plan.expiresAt))}
        </p>
        {p.mayWrite ? null : <p>{text.readerText}</p>}
      </div>
      <div class="decide-body">
        {p.mayWrite ? <Chooser summary={p.summary} choice={choice} onChoice={p.onChoice} /> : null}
        <div class="outcome" aria-live="polite" aria-busy={loaded.state === 'loading'}>
          <h3 class="h4">{words.weight.heading}</h3>
          {loaded.state === 'failed' ? (
            <Failure refusal={loaded.refusal} again={loaded.again} />
          ) : null}
          {selection === null ? <p>{words.weight.nothing}</p> : null}
          {selection === null || weighed === null ? null : <Weight weighed={weighed} plan={plan} />}
        </div>
      </div>
      {plan.fourEyes ? (
        <TwoPeople weighed={selection === null ? null : weighed} oneUser={p.oneUser} />
      ) : null}
      {p.mayWrite ? (
        <Buttons
          {...p}
          selection={selection}
          weighed={loaded.state === 'loaded' ? loaded.value : null}
        />
      ) : null}
    </section>
  );
}

function Buttons(
  p: Deciding & { readonly selection: Selection | null; readonly weighed: Weighed | null },
) {
  const words = useWords();
  const { plan, selection, weighed } = p;
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Refusal | null>(null);
  const [noted, setNoted] = useState(false);
  // A key for each part, so that a repeated sending of the same one cannot act twice.
  const [keys] = useState(() => new Map<string, string>());
  const mine = weighed?.approvals.some((one) => one.mine) ?? false;
  const ready = selection !== null && weighed !== null && countGoing(weighed) > 0;

  async function act(work: (selection: Selection) => Promise<unknown>): Promise<boolean> {
    if (selection === null || busy) return false;
    setBusy(true);
    setFailure(null);
    setNoted(false);
    try {
      await work(selection);
      p.onMoved(null);
      return true;
    } catch (error) {
      const refusal = refusalOf(error);
      if (movedOn.has(refusal.code)) p.onMoved(refusal);
      else setFailure(refusal);
      return false;
    } finally {
      setBusy(false);
      dialog.current?.close();
    }
  }

  const commit = () =>
    act((part) => {
      const name = JSON.stringify(part);
      const key = keys.get(name) ?? makeKey();
      keys.set(name, key);
      return commitPlan({ id: plan.id, selection: part, key });
    });

  return (
    <div class="decide-foot">
      {failure === null ? null : <Failure refusal={failure} />}
      {noted ? (
        <div class="alert alert-success plain" role="status">
          <p class="alert-text">{words.approval.noted}</p>
        </div>
      ) : null}
      <div class="buttons">
        <button
          type="button"
          class="button button-primary"
          disabled={!ready || busy}
          onClick={() => dialog.current?.showModal()}
        >
          {words.plan.commit}
        </button>
        {plan.fourEyes ? (
          <button
            type="button"
            class="button button-secondary"
            disabled={!ready || busy}
            onClick={() =>
              void act((part) => approvePlan({ id: plan.id, selection: part })).then(setNoted)
            }
          >
            {mine ? words.approval.wantAgain : words.approval.want}
          </button>
        ) : null}
      </div>
      <dialog ref={dialog} class="dialog" aria-labelledby="sure">
        <h2 id="sure">{words.plan.sure}</h2>
        {weighed === null ? null : <Weight weighed={weighed} plan={plan} inDialog />}
        <div class="buttons">
          <button
            type="button"
            class="button button-primary"
            disabled={busy || !ready}
            onClick={() => void commit()}
          >
            {busy ? words.plan.working : words.plan.sureGo}
          </button>
          <button
            type="button"
            class="button button-secondary"
            onClick={() => dialog.current?.close()}
          >
            {words.plan.cancel}
          </button>
        </div>
      </dialog>
    </div>
  );
}
