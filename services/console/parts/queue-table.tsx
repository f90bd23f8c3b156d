import { useState } from 'preact/hooks';
import type { Queue } from '../../api/queue.ts';
import type { Refusal } from '../api.ts';
import { pauseTarget, refusalOf, releaseBrake } from '../api.ts';
import { formatNumber, formatTime } from '../format.ts';
import { Failure } from '../load.tsx';
import { useWords, wordFor } from '../words.ts';

/** What waits in front of each target, and what holds it up; for operators with the brakes. */
export function QueueTable(p: {
  readonly queue: Queue;
  readonly mayWrite: boolean;
  readonly onChanged: () => void;
}) {
  const words = useWords();
  const text = words.bell;
  const { calm, circuits, lanes } = p.queue;
  const windows = calm?.windows.join(', ') ?? '';
  return (
    <>
      {calm === null ? null : (
        <p>
          {calm.until === null
            ? text.calm(windows)
            : text.calmUntil(windows, formatTime(words, calm.until))}
        </p>
      )}
      {circuits.map(({ target, probeAt }) => (
        <p key={target}>
          {text.circuit(
            wordFor({ among: words.targets, code: target }),
            formatTime(words, probeAt),
          )}
        </p>
      ))}
      {lanes.length === 0 ? <p class="quiet">{text.idle}</p> : <Lanes queue={p.queue} />}
      <Brakes {...p} />
    </>
  );
}

function Lanes(p: { readonly queue: Queue }) {
  const words = useWords();
  const text = words.bell;
  const paces = new Map(p.queue.rates.map((rate) => [rate.target, rate.rowsPerSecond]));
  const pace = (target: string) => {
    const rows = paces.get(target);
    return rows === undefined
      ? ''
      : text.perSecond(formatNumber(words, Math.round(rows * 10) / 10));
  };
  return (
    <div class="table--responsive-scroll">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{words.causes.what}</th>
            <th scope="col">{text.lane}</th>
            <th scope="col" class="number">
              {text.due}
            </th>
            <th scope="col" class="number">
              {text.pace}
            </th>
            <th scope="col">{text.done}</th>
          </tr>
        </thead>
        <tbody>
          {p.queue.lanes.map((one) => (
            <tr key={`${one.target} ${one.lane}`}>
              <th scope="row">{wordFor({ among: words.targets, code: one.target })}</th>
              <td>{words.lanes[one.lane]}</td>
              <td class="number">{formatNumber(words, one.due)}</td>
              <td class="number">{pace(one.target)}</td>
              <td>
                {one.doneAt === null ? text.unknown : formatTime(words, one.doneAt)}
                {one.opensAt === null ? null : (
                  <span class="under">{text.opens(formatTime(words, one.opensAt))}</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Brakes(p: {
  readonly queue: Queue;
  readonly mayWrite: boolean;
  readonly onChanged: () => void;
}) {
  const words = useWords();
  const text = words.bell;
  const [target, setTarget] = useState('');
  const [reason, setReason] = useState('');
  const [failure, setFailure] = useState<Refusal | null>(null);
  const nameOf = (name: string | null) =>
    name === null ? text.everywhere : wordFor({ among: words.targets, code: name });
  const known = [...p.queue.lanes, ...p.queue.rates, ...p.queue.brakes].flatMap((one) =>
    one.target === null ? [] : [one.target],
  );

  async function act(work: () => Promise<Queue>): Promise<void> {
    try {
      await work();
      setFailure(null);
      setReason('');
      p.onChanged();
    } catch (error) {
      setFailure(refusalOf(error));
    }
  }

  return (
    <>
      {p.queue.brakes.map((brake) => {
        const lane = brake.lane === null ? '' : ` (${words.lanes[brake.lane]})`;
        const where = `${nameOf(brake.target)}${lane}`;
        return (
          <div key={`${where} ${brake.everyTenant}`} class="alert alert-warning plain">
            <p class="alert-text">
              {text.stopped(where, brake.by, brake.reason)}
              {brake.until === null ? '' : ` (${text.until(formatTime(words, brake.until))})`}
            </p>
            {p.mayWrite && !brake.everyTenant ? (
              <button
                type="button"
                class="button button-secondary mt-3"
                aria-label={text.resumeAsk(where)}
                onClick={() => void act(() => releaseBrake(brakePlace(brake)))}
              >
                {text.resume}
              </button>
            ) : null}
          </div>
        );
      })}
      {p.mayWrite ? (
        <form
          class="filters mt-5"
          onSubmit={(event) => {
            event.preventDefault();
            void act(() => pauseTarget({ target: target === '' ? null : target, reason }));
          }}
        >
          <div>
            <label class="form-label" for="brake-target">
              {words.causes.what}
            </label>
            <select
              id="brake-target"
              class="form-select"
              value={target}
              onChange={(event) => setTarget(event.currentTarget.value)}
            >
              <option value="">{text.everywhere}</option>
              {[...new Set(known)].sort().map((name) => (
                <option key={name} value={name}>
                  {nameOf(name)}
                </option>
              ))}
            </select>
          </div>
          <div>
            <label class="form-label" for="brake-reason">
              {text.reason}
            </label>
            <input
              id="brake-reason"
              class="form-input"
              value={reason}
              required
              maxLength={500}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </div>
          <button
            type="submit"
            class="button button-secondary"
            aria-label={text.pauseAsk(nameOf(target === '' ? null : target))}
          >
            {text.pause}
          </button>
        </form>
      ) : null}
      {failure === null ? null : <Failure refusal={failure} />}
    </>
  );
}

function brakePlace({ target, lane }: Queue['brakes'][number]) {
  return { target, lane };
}
