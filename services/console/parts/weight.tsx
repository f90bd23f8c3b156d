import type { Plan } from '../../api/shapes.ts';
import type { Weighed } from '../../api/weigh.ts';
import { formatNumber } from '../format.ts';
import { replaceQuery } from '../router.tsx';
import type { Words } from '../words.ts';
import { useWords, wordFor } from '../words.ts';
import { ActionCounts } from './change-words.tsx';

/** Of what is chosen, all that would really be committed. */
export function countGoing(weighed: Weighed): number {
  return weighed.named + countAll(weighed.along);
}

function countAll(list: readonly { readonly count: number }[]): number {
  return list.reduce((sum, one) => sum + one.count, 0);
}

/** What a commit of the chosen part would do, in sentences. */
export function Weight(p: {
  readonly weighed: Weighed;
  readonly plan: Plan;
  readonly inDialog?: boolean;
}) {
  const words = useWords();
  const text = words.weight;
  const { weighed } = p;
  const number = (value: number) => formatNumber(words, value);
  const going = countGoing(weighed);
  const nothing = { create: 0, adopt: 0, update: 0, deactivate: 0, delete: 0 };
  return (
    <div class="weight">
      <p class="weight-first">
        <strong>
          {going === 0 ? text.none : text.going(number(going), number(weighed.changes))}
        </strong>
      </p>
      {going === 0 ? null : (
        <p class="weight-counts">
          <ActionCounts counts={{ ...nothing, ...weighed.actions }} />
        </p>
      )}
      <ul class="plain-list">
        {weighed.along.length === 0 ? null : (
          <li>{text.along(number(countAll(weighed.along)), sayAlong(words, weighed))}</li>
        )}
        {weighed.held.map((one) => (
          <li key={one.code} class="weight-held">
            {text.held(number(one.count), titleOfHold(words, one.code).toLowerCase())}{' '}
            <LimitFigures plan={p.plan} code={one.code} /> {p.inDialog ? null : <SeeHeld />}
          </li>
        ))}
        {weighed.waiting === 0 ? null : <li>{text.waiting(number(weighed.waiting))}</li>}
        {weighed.stale === 0 ? null : <li>{text.stale(number(weighed.stale))}</li>}
        {weighed.newerFeed ? <li>{text.newerFeed}</li> : null}
        {weighed.left === 0 ? null : <li>{text.left(number(weighed.left))}</li>}
      </ul>
      {going === 0 ? null : <Lasting weighed={weighed} />}
    </div>
  );
}

/** The list further down, with only what is held. */
function SeeHeld() {
  const words = useWords();
  function show(): void {
    replaceQuery({ held: 'true' });
    document.getElementById('changes')?.scrollIntoView();
  }
  return (
    <button type="button" class="link-button" onClick={show}>
      {words.holds.see}
    </button>
  );
}

/** What nobody can turn back: said before it is done. */
function Lasting(p: { readonly weighed: Weighed }) {
  const words = useWords();
  const { lasting } = p.weighed;
  if (lasting.length === 0) return <p class="quiet">{words.weight.undoable}</p>;
  return (
    <div class="lasting">
      <p>
        <strong>{words.weight.lastingHeading}</strong>
      </p>
      <ul class="plain-list">
        {lasting.map((one) => (
          <li key={one.code}>
            {formatNumber(words, one.count)}{' '}
            {wordFor({ among: words.weight.lasting, code: one.code })}
          </li>
        ))}
      </ul>
    </div>
  );
}

function sayAlong(words: Words, weighed: Weighed): string {
  const parts = weighed.along.map((one) =>
    words.weight.inTarget(
      `${formatNumber(words, one.count)} ${wordFor({
        among: one.count === 1 ? words.oneOf : words.kinds,
        code: one.kind,
      }).toLowerCase()}`,
      wordFor({ among: words.targets, code: one.target }),
    ),
  );
  return new Intl.ListFormat(words.locale).format(parts);
}

export function titleOfHold(words: Words, code: string): string {
  const codes: Readonly<Record<string, typeof words.holds.other>> = words.holds.codes;
  return (Object.hasOwn(codes, code) ? codes[code] : undefined)?.title ?? words.holds.other.title;
}

/** The figures of the limit that holds something: how many, of how many, and what would be let through. */
export function LimitFigures(p: {
  readonly plan: Plan;
  readonly code: string;
  readonly institution?: string | null;
}) {
  const words = useWords();
  const number = (value: number) => formatNumber(words, value);
  const rows = p.plan.limits.filter(
    (row) =>
      row.code === p.code &&
      row.state === 'exceeded' &&
      (p.institution === undefined || row.institution === p.institution),
  );
  // The same people are counted in every system: what reads the same is said once.
  const said = new Set(
    rows.map((row) =>
      words.plan.limitFigures({
        count: number(row.count),
        of: number(row.of),
        percent: number(row.percentLimit),
        limit: number(row.countLimit),
      }),
    ),
  );
  const [first] = said;
  if (first === undefined) return null;
  return (
    <span class="quiet">
      ({first}
      {said.size === 1 ? '' : words.plan.limitMore(number(said.size - 1))})
    </span>
  );
}
