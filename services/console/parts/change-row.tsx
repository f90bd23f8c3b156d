import { useState } from 'preact/hooks';
import type { Change } from '../../api/changes.ts';
import type { Plan } from '../../api/shapes.ts';
import { formatDay, formatNumber, formatTime } from '../format.ts';
import { Link } from '../router.tsx';
import { useWords, wordFor } from '../words.ts';
import { actionSigns, Entries, ReasonText, showValue } from './change-words.tsx';
import { LimitFigures, titleOfHold } from './weight.tsx';

/** A change on one row, and unfolded on a second one: before, after, and what it rests on. */
export function ChangeRows(p: {
  readonly plan: Plan;
  readonly change: Change;
  /** Null: nothing is ticked here. */
  readonly ticked: boolean | null;
  readonly onTick: (on: boolean) => void;
}) {
  const words = useWords();
  const [open, setOpen] = useState(false);
  const { change } = p;
  const target = wordFor({ among: words.targets, code: change.target });
  const outcome = change.held === null ? change.outcome : 'held';
  const more = `change-${change.seq}`;
  return (
    <>
      <tr class={change.held === null ? '' : 'held-row'}>
        {p.ticked === null ? null : <Tick {...p} ticked={p.ticked} />}
        <th scope="row">
          <button
            type="button"
            class="unfold"
            aria-expanded={open}
            aria-controls={more}
            onClick={() => setOpen(!open)}
          >
            <span class="sr-only">{words.plan.unfold(change.title)}</span>
            <span aria-hidden="true">{change.title}</span>
          </button>
          <span class="under">
            {wordFor({ among: words.oneOf, code: change.kind })} · {target}
          </span>
        </th>
        <td data-title={words.plan.school}>{change.institutionName ?? change.institution ?? ''}</td>
        <td data-title={words.plan.action}>
          <span class={`count count-${change.action}`}>
            <span aria-hidden="true">{actionSigns[change.action]}</span>{' '}
            {words.actions[change.action]}
          </span>
          {outcome === null || outcome === 'committed' ? null : (
            <span
              class={`badge small-badge ${outcome === 'left' ? 'badge-calm' : 'badge-warning'}`}
            >
              {words.outcomes[outcome]}
            </span>
          )}
        </td>
        <td class="nowrap" data-title={words.plan.when}>
          {change.notBefore === null ? words.plan.atOnce : formatDay(words, change.notBefore)}
        </td>
        <td data-title={words.plan.why}>
          <ReasonText change={change} />
        </td>
      </tr>
      <tr id={more} class="unfolded" hidden={!open}>
        {open ? (
          <td colSpan={p.ticked === null ? 5 : 6}>
            <Fields change={change} />
            <Evidence plan={p.plan} change={change} />
          </td>
        ) : null}
      </tr>
    </>
  );
}

function Tick(p: {
  readonly change: Change;
  readonly ticked: boolean;
  readonly onTick: (on: boolean) => void;
}) {
  const words = useWords();
  const { change } = p;
  const id = `tick-${change.seq}`;
  return (
    <td class="tick">
      <div class="form-group-checkbox">
        <input
          type="checkbox"
          class="form-checkbox"
          id={id}
          checked={p.ticked}
          disabled={change.held !== null}
          onChange={(event) => p.onTick(event.currentTarget.checked)}
        />
        <label class="form-label" for={id}>
          <span class="sr-only">{words.plan.tickOne(change.title)}</span>
        </label>
      </div>
    </td>
  );
}

/** Field by field, how it stands and how it shall be. */
function Fields(p: { readonly change: Change }) {
  const words = useWords();
  const text = words.plan;
  const { action, reason } = p.change;
  if (reason.fields.length === 0) return <p class="quiet">{text.noFields}</p>;
  return (
    <table class="fields-table">
      <thead>
        <tr>
          <th scope="col">{text.field}</th>
          <th scope="col">{text.before}</th>
          <th scope="col">{text.after}</th>
        </tr>
      </thead>
      <tbody>
        {reason.fields.map((field, index) => (
          <tr key={field.field}>
            <th scope="row">{wordFor({ among: words.fields, code: field.field })}</th>
            {'added' in field ? (
              <>
                <td data-title={text.before}>
                  <Entries field={field.field} entries={field.removed} sign="removed" />
                </td>
                <td data-title={text.after}>
                  <Entries field={field.field} entries={field.added} sign="added" />
                </td>
              </>
            ) : (
              <>
                <td data-title={text.before}>
                  {action === 'create'
                    ? only(index, text.didNotExist)
                    : showValue(words, field.from)}
                </td>
                <td data-title={text.after}>
                  {action === 'delete' ? only(index, text.isGone) : showValue(words, field.to)}
                </td>
              </>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Said once; further down it goes without saying. */
function only(index: number, text: string) {
  return <span class="quiet">{index === 0 ? text : '–'}</span>;
}

/** What the change rests on: the reading, the reason, and what holds it. */
function Evidence(p: { readonly plan: Plan; readonly change: Change }) {
  const words = useWords();
  const text = words.plan;
  const { plan, change } = p;
  const [sort, person] = change.key.split(':');
  return (
    <div class="evidence">
      <p class="h5">{text.evidence}</p>
      <ul class="plain-list">
        <li>{wordFor({ among: words.reasons, code: change.reason.code })}</li>
        {plan.snapshot === null ? null : (
          <li>
            {text.reading(formatTime(words, plan.snapshot.readAt), plan.snapshot.source)}{' '}
            <Link to="/feed">{words.ready.seeFeed}</Link>
          </li>
        )}
        {change.held === null ? null : (
          <li>
            {titleOfHold(words, change.held)}{' '}
            <LimitFigures plan={plan} code={change.held} institution={change.institution} />{' '}
            <Link to="/holds">{text.seeHold}</Link>
          </li>
        )}
        {sort === 'person' && person !== undefined ? (
          <li>
            <Link to={`/people/${person}`}>{text.seePerson}</Link>
          </li>
        ) : null}
        <li class="quiet">
          {text.number(formatNumber(words, change.seq))} · <code>{change.key}</code>
        </li>
      </ul>
    </div>
  );
}
