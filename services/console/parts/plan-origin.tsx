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
        {cannot.length === 0 ? (
          <p>
            <strong>{text.allBack}</strong>
          </p>
        ) : (
          <>
            <h3 class="h5">{text.cannotHeading}</h3>
            <ul class="plain-list">
              {cannot.map((one) => (
                <li key={`${one.institution} ${one.target} ${one.kind} ${one.action} ${one.code}`}>
                  <strong>{formatNumber(words, one.count)}</strong> <Sort of={one} />{' '}
                  {text.cannot[one.code]}
                  <span class="under">{text.among(one.titles.join(', '))}</span>
                </li>
              ))}
            </ul>
          </>
        )}
        {losses.length === 0 ? null : (
          <>
            <h3 class="h5">{text.lossesHeading}</h3>
            <ul class="plain-list">
              {losses.map((one) => (
                <li key={`${one.institution} ${one.target} ${one.kind}`}>
                  <strong>
                    {text.loss(formatNumber(words, one.count), formatNumber(words, one.of))}
                  </strong>{' '}
                  <Sort of={one} />
                </li>
              ))}
            </ul>
            <p class="quiet small">{text.lossesText}</p>
          </>
        )}
        <p class="quiet small">{text.held}</p>
      </div>
    </section>
  );
}

function Sort(p: {
  readonly of: {
    readonly institution: string | null;
    readonly target: string;
    readonly kind: string;
  };
}) {
  const words = useWords();
  const { institution, target, kind } = p.of;
  return (
    <>
      {words.weight.inTarget(
        wordFor({ among: words.kinds, code: kind }).toLowerCase(),
        wordFor({ among: words.targets, code: target }),
      )}
      {institution === null ? '' : ` · ${institution}`}
    </>
  );
}
