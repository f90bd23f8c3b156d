import type { Snapshot } from '../../api/snapshots.ts';
import { readSnapshots } from '../api.ts';
import { formatNumber, formatTime } from '../format.ts';
import { Await, useLoaded } from '../load.tsx';
import { StateBadge } from '../parts/change-words.tsx';
import { SnapshotFacts } from '../parts/snapshot-facts.tsx';
import { useWords } from '../words.ts';

export function FeedPage() {
  const words = useWords();
  const loaded = useLoaded('feed', readSnapshots);
  return (
    <>
      <h1>{words.feed.heading}</h1>
      <p class="lead">{words.feed.lead}</p>
      <Await loaded={loaded}>
        {(page) =>
          page.items.length === 0 ? (
            <p class="quiet">{words.feed.none}</p>
          ) : (
            page.items.map((snapshot) => <SnapshotCard key={snapshot.id} snapshot={snapshot} />)
          )
        }
      </Await>
    </>
  );
}

function SnapshotCard(p: { readonly snapshot: Snapshot }) {
  const words = useWords();
  const { snapshot } = p;
  const origin = [
    snapshot.source,
    snapshot.format,
    snapshot.takenAt === null ? '' : `${words.feed.taken} ${formatTime(words, snapshot.takenAt)}`,
    snapshot.schoolYear === null ? '' : `${words.feed.year} ${snapshot.schoolYear}`,
  ];
  return (
    <article class="card snapshot">
      <div class="card-content">
        <div class="title-row">
          <h2 class="h3">{formatTime(words, snapshot.readAt)}</h2>
          <StateBadge state={snapshot.state} />
        </div>
        <p class="quiet">{origin.filter((part) => part !== '').join(' · ')}</p>
        {snapshot.refusal === null ? null : (
          <div class="alert alert-error plain">
            <p class="alert-text">
              {snapshot.refusal.message}
              <code class="under">
                {[snapshot.refusal.code, snapshot.refusal.file].filter(Boolean).join(' · ')}
              </code>
            </p>
          </div>
        )}
        <SnapshotFacts snapshot={snapshot} />
        {snapshot.state === 'accepted' ? <Diagnostics snapshot={snapshot} /> : null}
      </div>
    </article>
  );
}

const tones = { error: 'badge-error', warning: 'badge-warning', info: 'badge-info' } as const;

function Diagnostics(p: { readonly snapshot: Snapshot }) {
  const words = useWords();
  const { diagnostics, diagnosticCounts } = p.snapshot;
  const total = diagnosticCounts.reduce((sum, one) => sum + one.count, 0);
  if (total === 0) return <p class="quiet">{words.feed.noDiagnostics}</p>;
  return (
    <>
      <h3 class="h5">{words.feed.diagnostics}</h3>
      <ul class="diagnostic-counts">
        {diagnosticCounts.map((one) => (
          <li key={`${one.severity} ${one.code}`}>
            <span class={`badge ${tones[one.severity]}`}>{words.feed.severity[one.severity]}</span>{' '}
            <code>{one.code}</code> <strong>{formatNumber(words, one.count)}</strong>
          </li>
        ))}
      </ul>
      <details class="more">
        <summary>
          {words.feed.details(formatNumber(words, diagnostics.length), formatNumber(words, total))}
        </summary>
        <div class="table--responsive-scroll">
          <table class="table table--compact">
            <thead>
              <tr>
                <th scope="col">{words.feed.place}</th>
                <th scope="col">{words.feed.message}</th>
              </tr>
            </thead>
            <tbody>
              {diagnostics.map((one, index) => (
                <tr key={index}>
                  <td>
                    {one.file}
                    <span class="under">
                      {[one.line === null ? '' : `${words.feed.line} ${one.line}`, one.field]
                        .filter(Boolean)
                        .join(', ')}
                    </span>
                  </td>
                  <td>
                    {one.message}
                    <code class="under">{one.code}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}
