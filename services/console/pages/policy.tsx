import type { Policies, WrittenPolicy } from '../../api/policy.ts';
import { readPolicies, readPolicy } from '../api.ts';
import { formatTime } from '../format.ts';
import { Await, useLoaded } from '../load.tsx';
import { Link } from '../router.tsx';
import { useWords } from '../words.ts';

type Version = Policies['versions'][number];

/** The rules: every version, which is in force, and a version as it was written. */
export function PolicyPage(p: {
  /** The version whose text is shown; empty: the one in force. */
  readonly version: string;
}) {
  const words = useWords();
  const text = words.policy;
  const loaded = useLoaded(p.version, async () => {
    const policies = await readPolicies();
    const shown = p.version === '' ? policies.inForce : await readPolicy(p.version);
    return { policies, shown };
  });
  return (
    <>
      <h1>{text.heading}</h1>
      <p class="lead">{text.lead}</p>
      <Await loaded={loaded}>
        {({ policies, shown }) => (
          <>
            {policies.inForce === null ? <p>{text.none}</p> : null}
            {policies.versions
              .filter((one) => one.state === 'previewed')
              .map((one) => (
                <Previewed key={one.version} version={one} />
              ))}
            {policies.versions.length === 0 ? null : (
              <Versions versions={policies.versions} shown={shown?.version ?? null} />
            )}
            {shown === null ? null : <Written policy={shown} />}
            <HowToChange />
          </>
        )}
      </Await>
    </>
  );
}

function Previewed(p: { readonly version: Version }) {
  const words = useWords();
  const { version, plan } = p.version;
  return (
    <div class="alert alert-info plain">
      <p class="alert-text">
        {words.policy.preview(String(version))}{' '}
        {plan === null ? null : <Link to={`/plans/${plan}`}>{words.policy.seePlan}</Link>}
      </p>
    </div>
  );
}

const tones = { 'in-force': 'badge-success', past: 'badge-calm', previewed: 'badge-info' } as const;

function Versions(p: { readonly versions: readonly Version[]; readonly shown: number | null }) {
  const words = useWords();
  const text = words.policy;
  return (
    <section aria-labelledby="versions">
      <h2 id="versions">{text.versions}</h2>
      <div class="table--responsive-scroll">
        <table class="table stacked">
          <thead>
            <tr>
              <th scope="col">{text.version}</th>
              <th scope="col">{text.state}</th>
              <th scope="col">{text.inForceAt}</th>
              <th scope="col">{text.madeBy}</th>
              <th scope="col">{text.plan}</th>
            </tr>
          </thead>
          <tbody>
            {p.versions.map((one) => (
              <tr key={one.version} class={one.version === p.shown ? 'shown-row' : ''}>
                <th scope="row">
                  <Link to={`/policy/${one.version}`} current={one.version === p.shown}>
                    {text.number(String(one.version))}
                  </Link>
                </th>
                <td data-title={text.state}>
                  <span class={`badge ${tones[one.state]}`}>{text.states[one.state]}</span>
                </td>
                <td data-title={text.inForceAt}>
                  {one.inForceAt === null ? text.notYet : formatTime(words, one.inForceAt)}
                </td>
                <td data-title={text.madeBy}>
                  {one.madeBy}
                  <span class="under">{formatTime(words, one.madeAt)}</span>
                </td>
                <td data-title={text.plan}>
                  {one.plan === null ? (
                    <span class="quiet">{text.wording}</span>
                  ) : (
                    <Link to={`/plans/${one.plan}`}>{text.seePlan}</Link>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Written(p: { readonly policy: WrittenPolicy }) {
  const words = useWords();
  return (
    <section aria-labelledby="written">
      <h2 id="written">{words.policy.text(String(p.policy.version))}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <pre class="written" tabIndex={0}>
        {p.policy.text}
      </pre>
    </section>
  );
}

function HowToChange() {
  const words = useWords();
  return (
    <section aria-labelledby="change-policy">
      <h2 id="change-policy">{words.policy.change}</h2>
      <p>{words.policy.changeText}</p>
      <p>
        <code class="command">skolebus policy plan</code>
      </p>
      <p class="quiet">{words.policy.changeThen}</p>
    </section>
  );
}
