import type { Weighed } from '../../api/weigh.ts';
import { formatNumber, formatTime } from '../format.ts';
import { useWords } from '../words.ts';

/** Who wants what is chosen, and whether somebody else still has to. */
export function TwoPeople(p: { readonly weighed: Weighed | null; readonly oneUser: boolean }) {
  const words = useWords();
  const text = words.approval;
  const { weighed } = p;
  return (
    <div class="two-people">
      <h3 class="h4">{text.heading}</h3>
      <p>{text.text}</p>
      {weighed === null ? null : (
        <>
          {weighed.approvals.length === 0 ? (
            <p class="quiet">{text.none}</p>
          ) : (
            <ul class="plain-list">
              {weighed.approvals.map((one) => (
                <li key={`${one.name} ${one.at}`}>
                  <strong>
                    {one.name}
                    {one.mine ? ` (${text.you})` : ''}
                  </strong>{' '}
                  <span class="quiet">
                    {formatTime(words, one.at)} ·{' '}
                    {text.covers(
                      formatNumber(words, one.count),
                      formatNumber(words, weighed.named + weighed.stale),
                    )}
                  </span>
                </li>
              ))}
            </ul>
          )}
          <p>
            {weighed.unapproved > 0
              ? text.missing(formatNumber(words, weighed.unapproved))
              : text.complete}
          </p>
        </>
      )}
      {p.oneUser && weighed !== null && weighed.unapproved > 0 ? (
        <p class="quiet small">{text.oneUser}</p>
      ) : null}
    </div>
  );
}
