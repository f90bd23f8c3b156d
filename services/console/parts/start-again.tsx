import { useState } from 'preact/hooks';
import type { Refusal } from '../api.ts';
import { refusalOf, startAgain } from '../api.ts';
import { Failure } from '../load.tsx';
import { useWords } from '../words.ts';

/** Asks once more before it is done: what opens the account now opens it no longer. */
export function StartAgain(p: { readonly person: string }) {
  const text = useWords().person.startAgain;
  const [step, setStep] = useState<'offered' | 'asked' | 'sent' | 'done'>('offered');
  const [failure, setFailure] = useState<Refusal | null>(null);

  async function send(): Promise<void> {
    setStep('sent');
    try {
      await startAgain(p.person);
      setStep('done');
      setFailure(null);
    } catch (error) {
      setStep('offered');
      setFailure(refusalOf(error));
    }
  }

  if (step === 'done') return <p role="status">{text.done}</p>;
  return (
    <>
      {step === 'offered' ? (
        <button type="button" class="button button-secondary" onClick={() => setStep('asked')}>
          {text.offer}
        </button>
      ) : (
        <>
          <p>{text.sure}</p>
          <button
            type="button"
            class="button button-primary mr-3"
            disabled={step === 'sent'}
            onClick={() => void send()}
          >
            {text.yes}
          </button>
          <button
            type="button"
            class="button button-secondary"
            disabled={step === 'sent'}
            onClick={() => setStep('offered')}
          >
            {text.no}
          </button>
        </>
      )}
      {failure === null ? null : <Failure refusal={failure} />}
    </>
  );
}
