import type { Plan } from '../../api/shapes.ts';
import { formatNumber } from '../format.ts';
import { Link } from '../router.tsx';
import { useWords, wordFor } from '../words.ts';

/** Where a plan comes from, when not from a feed: an undo, what was overtaken, another policy. */
export function PlanOrigin(p: {
  readonly plan: Plan;
  /** The version of the policy that it puts into force, or null. */
  readonly previews: number | null;
}) {
  const words = useWords();
  const { plan } = p;
  const text = words.undo;
  return (
    <>
      {plan.undoes === null ? null : <UndoFacts plan={plan} undoes={plan.undoes} />}
      {plan.replans === null ? null : (
        <div class="alert alert-info plain">
          <p class="alert-heading">{text.replansHeading}</p>
          <p class="alert-text">
            {text.replansText} <Link to={`/plans/${plan.replans}`}>{text.seeReplans}</Link>
          </p>
        </div>
      )}
      {p.previews === null ? null : (
        <div class="alert alert-info plain">
          <p class="alert-heading">{text.policyHeading(String(p.previews))}</p>
          <p class="alert-text">
            {text.policyText} <Link to={`/policy/${p.previews}`}>{text.seePolicy}</Link>
          </p>
        </div>
      )}
    </>
  );
}

function UndoFacts(p: { readonly plan: Plan; readonly undoes: string }) {
  const words = useWords();
  const text = words.undo;
  const { cannot, losses, state } = p.plan;
  return (
    <section class="panel undo-facts" aria-labelledby="undo-facts">
      <div>
        <h2 id="undo-facts" class="h4">
          {text.heading}
        </h2>
        <p>
          {state === 'open' ? `${text.text} ` : ''}
          <Link to={`/plans/${p.undoes}`}>{text.see}</Link>
        </p>
        <div class="undo-columns">
          {cannot.length === 0 ? <p class="h5">{text.allBack}</p> : <CannotList cannot={cannot} />}
          {losses.length === 0 ? null : <LossList losses={losses} />}
        </div>
        {losses.length === 0 ? null : <p class="quiet small">{text.lossesText}</p>}
        <p class="quiet small">{text.held}</p>
      </div>
    </section>
  );
}

/** Some names are enough to know what it is about; all of them stand in the list of the undone plan. */
const titlesNamed = 5;

function CannotList(p: { readonly cannot: Plan['cannot'] }) {
  const words = useWords();
  const text = words.undo;
  return (
    <div>
      <h3 class="h5">{text.cannotHeading}</h3>
      <ul class="plain-list">
        {gather(p.cannot, (one) => [one.code, one.target, one.kind]).map(([name, ones]) => {
          const titles = [...new Set(ones.flatMap((one) => one.titles))].slice(0, titlesNamed);
          const [first] = ones;
          return first === undefined ? null : (
            <li key={name}>
              <strong>{formatNumber(words, sum(ones, 'count'))}</strong> <Sort {...first} />{' '}
              {text.cannot[first.code]}
              <span class="under">{text.among(titles.join(', '))}</span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function LossList(p: { readonly losses: Plan['losses'] }) {
  const words = useWords();
  return (
    <div>
      <h3 class="h5">{words.undo.lossesHeading}</h3>
      <ul class="plain-list">
        {gather(p.losses, (one) => [one.target, one.kind]).map(([name, ones]) => {
          const [first] = ones;
          return first === undefined ? null : (
            <li key={name}>
              <strong>
                {words.undo.lossOf(
                  formatNumber(words, sum(ones, 'count')),
                  formatNumber(words, sum(ones, 'of')),
                )}
              </strong>{' '}
              <Sort {...first} />
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** All schools together; the table below has them one by one. */
function gather<T>(
  list: readonly T[],
  nameOf: (one: T) => readonly string[],
): readonly (readonly [string, readonly T[]])[] {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    const name = nameOf(one).join(' ');
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

function sum<Name extends string>(
  list: readonly Readonly<Record<Name, number>>[],
  name: Name,
): number {
  return list.reduce((total, one) => total + one[name], 0);
}

function Sort(p: { readonly target: string; readonly kind: string }) {
  const words = useWords();
  return (
    <>
      {words.weight.inTarget(
        wordFor({ among: words.kinds, code: p.kind }).toLowerCase(),
        wordFor({ among: words.targets, code: p.target }),
      )}
    </>
  );
}
