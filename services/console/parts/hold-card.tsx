import { useState } from 'preact/hooks';
import type { Hold } from '../../api/holds.ts';
import type { Refusal } from '../api.ts';
import { decideHold, makeKey, refusalOf, revokeDecision } from '../api.ts';
import { formatNumber, formatTime } from '../format.ts';
import { Failure } from '../load.tsx';
import { Link } from '../router.tsx';
import { useSpeech, useWords, wordFor } from '../words.ts';

/** One thing that waits: why, and a button for each choice. */
export function OpenHold(p: {
  readonly hold: Hold;
  readonly names: ReadonlyMap<string, string>;
  readonly mayWrite: boolean;
  readonly onDecided: () => void;
}) {
  const { words, language } = useSpeech();
  const { hold } = p;
  return (
    <article class="card hold">
      <div class="card-content">
        <HoldHead hold={hold} names={p.names} />
        <p>{hold.why[language]}</p>
        <p class="quiet">
          <Subject subject={hold.subject} /> · {words.holds.since(formatTime(words, hold.openedAt))}
        </p>
        {p.mayWrite && hold.choices.length > 0 ? (
          <Choices hold={hold} onDecided={p.onDecided} />
        ) : null}
      </div>
    </article>
  );
}

/** A person's hold leads to what is known of the person. */
function Subject(p: { readonly subject: string }) {
  const words = useWords();
  const [what, id] = p.subject.split(':');
  if (what !== 'person' || id === undefined) return <>{words.holds.about(p.subject)}</>;
  return <Link to={`/people/${id}`}>{words.holds.aboutPerson}</Link>;
}

function HoldHead(p: { readonly hold: Hold; readonly names: ReadonlyMap<string, string> }) {
  const words = useWords();
  const { institution, code, count, of } = p.hold;
  const codes: Readonly<Record<string, typeof words.holds.other>> = words.holds.codes;
  const text = (Object.hasOwn(codes, code) ? codes[code] : undefined) ?? words.holds.other;
  return (
    <>
      {institution === null ? null : (
        <div class="card-kicker">
          {p.names.get(institution) ?? institution} · {institution}
        </div>
      )}
      <h2 class="h3">{text.title}</h2>
      {of <= 1 ? null : (
        <p>
          <strong>{words.holds.lossOf(formatNumber(words, count), formatNumber(words, of))}</strong>{' '}
          <span class="quiet">
            {wordFor({ among: words.kinds, code: p.hold.kind }).toLowerCase()} ·{' '}
            {wordFor({ among: words.targets, code: p.hold.target })} ·{' '}
            {wordFor({ among: words.actions, code: p.hold.action }).toLowerCase()}
          </span>
        </p>
      )}
    </>
  );
}

function Choices(p: { readonly hold: Hold; readonly onDecided: () => void }) {
  const { words, language } = useSpeech();
  const text = words.holds;
  const { hold } = p;
  const [scope, setScope] = useState<'once' | 'rule'>('once');
  const [day, setDay] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Refusal | null>(null);
  // A key for each choice, so that a repeated sending is the same decision.
  const [keys] = useState(() => new Map(hold.choices.map(({ choice }) => [choice, makeKey()])));

  async function decide(choice: string): Promise<void> {
    setBusy(true);
    try {
      const until = scope === 'rule' && day !== '' ? `${day}T23:59:59Z` : null;
      const key = `${keys.get(choice) ?? ''} ${scope} ${until ?? ''}`.replaceAll(' ', '/');
      await decideHold({ id: hold.id, key, choice, scope, until });
      p.onDecided();
    } catch (error) {
      setFailure(refusalOf(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <fieldset class="choices">
      <legend>{text.ask}</legend>
      <div class="choice-scope">
        <label>
          {text.scope}{' '}
          <select
            class="form-select"
            value={scope}
            onChange={(event) => setScope(event.currentTarget.value === 'rule' ? 'rule' : 'once')}
          >
            <option value="once">{text.once}</option>
            <option value="rule">{text.rule}</option>
          </select>
        </label>
        {scope === 'once' ? null : (
          <label>
            {text.until}{' '}
            <input
              class="form-input"
              type="date"
              value={day}
              onChange={(event) => setDay(event.currentTarget.value)}
            />
          </label>
        )}
      </div>
      <ul class="choice-list nobullet-list">
        {hold.choices.map(({ choice, does }) => (
          <li key={choice}>
            <button
              type="button"
              class="button button-secondary"
              disabled={busy}
              onClick={() => void decide(choice)}
            >
              {wordFor({ among: text.choices, code: choice.split(':')[0] ?? choice })}
            </button>
            <span>{does[language]}</span>
          </li>
        ))}
      </ul>
      {failure === null ? null : <Failure refusal={failure} />}
    </fieldset>
  );
}

/** What was decided, by whom, and whether it is still in force. */
export function DecidedHold(p: {
  readonly hold: Hold;
  readonly names: ReadonlyMap<string, string>;
  readonly mayWrite: boolean;
  readonly onRevoked: () => void;
}) {
  const words = useWords();
  const text = words.holds;
  const { hold } = p;
  const { decision } = hold;
  const [failure, setFailure] = useState<Refusal | null>(null);
  if (decision === null) return null;

  async function revoke(): Promise<void> {
    try {
      await revokeDecision(hold.id);
      p.onRevoked();
    } catch (error) {
      setFailure(refusalOf(error));
    }
  }

  const over =
    decision.spentAt !== null ||
    (decision.until !== null && decision.until < new Date().toISOString());
  const choice = wordFor({
    among: text.choices,
    code: decision.choice.split(':')[0] ?? decision.choice,
  });
  return (
    <article class="card hold">
      <div class="card-content">
        <HoldHead hold={hold} names={p.names} />
        <p class="quiet">
          <Subject subject={hold.subject} />
        </p>
        <p>
          <strong>{choice}</strong> · {decision.scope === 'once' ? text.once : text.rule} ·{' '}
          {text.decision(decision.by ?? '-', formatTime(words, decision.at))}
          {over ? ` · ${text.over}` : ''}
          {!over && decision.until !== null
            ? ` · ${text.decisionUntil(formatTime(words, decision.until))}`
            : ''}
        </p>
        {over || !p.mayWrite ? null : (
          <button type="button" class="button button-secondary" onClick={() => void revoke()}>
            {text.revoke}
          </button>
        )}
        {failure === null ? null : <Failure refusal={failure} />}
      </div>
    </article>
  );
}
