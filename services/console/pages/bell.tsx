import { useEffect, useState } from 'preact/hooks';
import type { Readiness } from '../../api/readiness.ts';
import { readQueue, readReadiness } from '../api.ts';
import { formatNumber, formatPercent, formatTime } from '../format.ts';
import { Await, useLoaded } from '../load.tsx';
import { Bar, Ring } from '../parts/bar.tsx';
import { QueueTable } from '../parts/queue-table.tsx';
import { Link } from '../router.tsx';
import { useSpeech, useWords, wordFor } from '../words.ts';

/** How often the page asks anew, in ms. */
const everyMs = 15_000;

export function BellPage(p: { readonly mayWrite: boolean }) {
  const words = useWords();
  const [round, setRound] = useState(0);
  const again = () => setRound((n) => n + 1);
  useEffect(() => {
    const timer = setInterval(() => setRound((n) => n + 1), everyMs);
    return () => clearInterval(timer);
  }, []);
  const loaded = useLoaded(String(round), async () => {
    const [readiness, queue] = await Promise.all([readReadiness(), readQueue()]);
    return { readiness, queue };
  });
  return (
    <Await loaded={loaded}>
      {({ readiness, queue }) => (
        <>
          <Hero readiness={readiness} />
          {readiness.people === 0 ? null : <Schools readiness={readiness} />}
          <Reasons reasons={readiness.reasons} />
          <section aria-labelledby="queue">
            <h2 id="queue">{words.bell.queue}</h2>
            <QueueTable queue={queue} mayWrite={p.mayWrite} onChanged={again} />
          </section>
        </>
      )}
    </Await>
  );
}

function Hero(p: { readonly readiness: Readiness }) {
  const words = useWords();
  const text = words.bell;
  const { bell, eta, late, missing, people, ready } = p.readiness;
  const [right, all] = [formatNumber(words, ready), formatNumber(words, people)];
  return (
    <section class="hero">
      <div>
        <h1>{text.heading}</h1>
        <p class="answer">{people === 0 ? text.none : text.sentence(right, all)}</p>
        <p class="lead">
          {bell === null ? text.noBell : text.rings(formatTime(words, bell))}{' '}
          {missing === 0 ? '' : eta === null ? text.noEta : text.eta(formatTime(words, eta))}
        </p>
        {bell === null || people === 0 ? null : (
          <div class={`alert plain ${late ? 'alert-warning' : 'alert-success'}`}>
            <p class="alert-text">{late ? text.late : text.inTime}</p>
          </div>
        )}
      </div>
      <Ring
        share={people === 0 ? 0 : ready / people}
        figure={formatPercent(words, { part: ready, of: people })}
        caption={text.share}
        tone={missing === 0 ? 'good' : late ? 'bad' : 'busy'}
      />
    </section>
  );
}

type Reasons = Readiness['reasons'];

function Schools(p: { readonly readiness: Readiness }) {
  const words = useWords();
  const text = words.bell;
  // Whoever misses most comes first: that is where somebody has to look.
  const sorted = p.readiness.institutions.toSorted(
    (a, b) => b.missing - a.missing || a.name.localeCompare(b.name, words.locale),
  );
  return (
    <section aria-labelledby="schools">
      <h2 id="schools">{text.schools}</h2>
      <div class="table--responsive-scroll">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">{text.school}</th>
              <th scope="col">{text.ready}</th>
              <th scope="col" class="number">
                {text.missing}
              </th>
              <th scope="col">{text.when}</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((school) => (
              <tr key={school.institution}>
                <th scope="row">
                  {school.name}
                  <span class="under">{school.institution}</span>
                </th>
                <td>
                  <Bar shares={sharesOf(school)} label={school.name} />
                  <span class="under">
                    {words.of(
                      formatNumber(words, school.ready),
                      formatNumber(words, school.people),
                    )}
                  </span>
                </td>
                <td class="number">
                  {formatNumber(words, school.missing)}
                  {school.reasons.slice(0, 3).map((reason) => (
                    <span key={keyOf(reason)} class="under">
                      {wordFor({ among: words.targets, code: reason.target })}:{' '}
                      {wordFor({ among: text.causes, code: reason.cause })}
                    </span>
                  ))}
                </td>
                <td>
                  {school.missing === 0
                    ? ''
                    : school.eta === null
                      ? text.unknown
                      : formatTime(words, school.eta)}
                  {school.late ? <span class="under note-failed">{text.isLate}</span> : null}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** What comes by itself is busy, what needs somebody is bad. */
function sharesOf(school: Readiness['institutions'][number]) {
  const waits = school.eta !== null;
  return {
    settled: school.ready,
    due: waits ? school.missing : 0,
    failed: waits ? 0 : school.missing,
  };
}

function keyOf({ cause, code, kind, lane, target }: Reasons[number]): string {
  return [target, kind, lane, cause, code].join(' ');
}

function Reasons(p: { readonly reasons: Reasons }) {
  const { words, language } = useSpeech();
  const text = words.bell;
  if (p.reasons.length === 0) return null;
  return (
    <section aria-labelledby="reasons">
      <h2 id="reasons">{text.why}</h2>
      <div class="table--responsive-scroll">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">{words.causes.what}</th>
              <th scope="col">{words.causes.why}</th>
              <th scope="col" class="number">
                {words.counts.people}
              </th>
              <th scope="col">{text.when}</th>
            </tr>
          </thead>
          <tbody>
            {p.reasons.map((reason) => (
              <tr key={keyOf(reason)}>
                <th scope="row">
                  {wordFor({ among: words.targets, code: reason.target })}
                  <span class="under">{wordFor({ among: words.kinds, code: reason.kind })}</span>
                </th>
                <td>
                  <span>{wordFor({ among: text.causes, code: reason.cause })}</span>
                  <span class="under">{reason.sentence[language]}</span>
                  {reason.code === null ? null : <code class="under">{reason.code}</code>}
                </td>
                <td class="number">{formatNumber(words, reason.count)}</td>
                <td>
                  {reason.eta === null ? text.unknown : formatTime(words, reason.eta)}
                  <Where cause={reason.cause} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** Where somebody can do something about it. */
function Where(p: { readonly cause: Reasons[number]['cause'] }) {
  const text = useWords().bell;
  if (p.cause === 'held') {
    return (
      <span class="under">
        <Link to="/holds">{text.seeHolds}</Link>
      </span>
    );
  }
  if (p.cause !== 'approval') return null;
  return (
    <span class="under">
      <Link to="/plans">{text.seePlans}</Link>
    </span>
  );
}
