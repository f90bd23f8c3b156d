import { useState } from 'preact/hooks';
import type { Status } from '../../api/status.ts';
import type { Refusal } from '../api.ts';
import { openQueueBoard, refusalOf } from '../api.ts';
import { Failure } from '../load.tsx';
import { useWords } from '../words.ts';

/** How many tickets wait in each lane; for operators the way to the tickets themselves. */
export function QueueLine(p: {
  readonly queues: NonNullable<Status['queues']>;
  readonly mayOpen: boolean;
}) {
  const words = useWords();
  const [failure, setFailure] = useState<Refusal | null>(null);

  async function open(): Promise<void> {
    try {
      await openQueueBoard();
      location.assign('/queues/');
    } catch (error) {
      setFailure(refusalOf(error));
    }
  }

  return (
    <>
      <p class="quiet small">
        {words.queue}:{' '}
        {(['now', 'sync', 'bulk'] as const)
          .map((lane) => `${words.lanes[lane]} ${p.queues.lanes[lane]}`)
          .join(' · ')}
        {p.mayOpen ? (
          <>
            {' · '}
            <button type="button" class="plain-button worded" onClick={() => void open()}>
              {words.seeQueue}
            </button>
          </>
        ) : null}
      </p>
      {failure === null ? null : <Failure refusal={failure} />}
    </>
  );
}
