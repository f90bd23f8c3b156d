import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Explanation, Match } from '../../api/people.ts';
import { findPeople, readExplanation } from '../api.ts';
import { formatDay, formatTime } from '../format.ts';
import { Await, useLoaded } from '../load.tsx';
import { StartAgain } from '../parts/start-again.tsx';
import { Link, replaceQuery, usePlace } from '../router.tsx';
import { useSpeech, useWords, wordFor } from '../words.ts';

type Target = Explanation['targets'][number];

/** Looks people up by what somebody on the telephone says: a username, a UNI-ID or a name. */
export function PeoplePage() {
  const words = useWords();
  const { query } = usePlace();
  const asked = query.get('search') ?? '';
  const [text, setText] = useState(asked);
  return (
    <>
      <h1>{words.person.heading}</h1>
      <p class="lead">{words.person.lead}</p>
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
          replaceQuery({ search: text.trim() });
        }}
      >
        <div>
          <label class="form-label" for="search">
            {words.person.search}
          </label>
          <input
            class="form-input"
            id="search"
            type="search"
            maxLength={100}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </div>
        <button type="submit" class="button button-primary">
          {words.person.find}
        </button>
      </form>
      {asked === '' ? null : <Found key={asked} text={asked} />}
    </>
  );
}

function Found(p: { readonly text: string }) {
  const words = useWords();
  const loaded = useLoaded(`people ${p.text}`, () => findPeople(p.text));
  return (
    <Await loaded={loaded}>
      {({ items, more }) =>
        items.length === 0 ? (
          <p class="quiet" role="status">
            {words.person.none}
          </p>
        ) : (
          <>
            <PeopleTable people={items} />
            {more ? <p class="quiet">{words.person.more}</p> : null}
          </>
        )
      }
    </Await>
  );
}

function PeopleTable(p: { readonly people: readonly Match[] }) {
  const words = useWords();
  return (
    <div class="table--responsive-scroll">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{words.person.name}</th>
            <th scope="col">{words.fields.username}</th>
            <th scope="col">{words.schools.heading}</th>
          </tr>
        </thead>
        <tbody>
          {p.people.map(({ id, name, username, institutions }) => (
            <tr key={id}>
              <th scope="row">
                <Link to={`/people/${id}`}>{name}</Link>
              </th>
              <td>{username ?? '-'}</td>
              <td>{institutions.join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The chain from the feed to every target, with the plain answers on top. */
export function PersonPage(p: { readonly id: string; readonly mayWrite: boolean }) {
  const loaded = useLoaded(`person ${p.id}`, () => readExplanation(p.id));
  return <Await loaded={loaded}>{(one) => <Chain one={one} mayWrite={p.mayWrite} />}</Await>;
}

function Chain(p: { readonly one: Explanation; readonly mayWrite: boolean }) {
  const { words, language } = useSpeech();
  const text = words.person;
  const { one } = p;
  const right = one.findings.some(({ code }) => code === 'all-right');
  return (
    <>
      <h1>{one.person.name}</h1>
      <p class="lead">
        {one.person.username ?? text.noUsername}
        {one.person.protected ? ` · ${text.protected}` : ''}
      </p>
      <section class={`alert plain ${right ? 'alert-success' : 'alert-warning'}`}>
        <h2 class="alert-heading">{text.answers}</h2>
        <ul class="answers">
          {one.findings.map((finding) => (
            <li key={`${finding.code} ${finding.target} ${finding.sentence.en}`}>
              {finding.sentence[language]}
            </li>
          ))}
        </ul>
      </section>
      <ol class="chain">
        <Step title={text.steps.feed}>
          {one.feed.map((row) => (
            <li key={`${row.source} ${row.key}`}>
              <strong>{row.source}</strong>: {row.key} · {stateOf(words, row)}
              {row.changedAt === null ? null : (
                <span class="quiet"> · {text.changedAt(formatTime(words, row.changedAt))}</span>
              )}
            </li>
          ))}
        </Step>
        <Step title={text.steps.recognised}>
          <li>
            {text.since(formatDay(words, one.recognition.since))}
            {one.recognition.evidence.map(({ system, value }) => (
              <span key={`${system} ${value}`}>
                {' '}
                · {wordFor({ among: text.systems, code: system })} {value ?? ''}
              </span>
            ))}
          </li>
        </Step>
        <Step title={text.steps.affiliations}>
          {one.affiliations.map((row) => (
            <li key={`${row.source} ${row.institution} ${row.kind}`}>
              {wordFor({ among: text.kinds, code: row.kind })}{' '}
              <span class="quiet">({row.roles.join(', ')})</span> ·{' '}
              {row.institutionName ?? row.institution}
              {row.grade === null ? '' : ` · ${text.grade(row.grade)}`} · {stateOf(words, row)}
            </li>
          ))}
          {one.memberships.map((row) => (
            <li key={`${row.source} ${row.group} ${row.role}`}>
              {row.groupName ?? row.group} · {wordFor({ among: text.roles, code: row.role })} ·{' '}
              {stateOf(words, row)}
            </li>
          ))}
        </Step>
        <Step title={text.steps.packages}>
          {one.packages.map((item) => (
            <li key={item.name}>
              <strong>{item.name}</strong>:{' '}
              {item.fired
                ? text.gives(
                    item.gives.map((code) => wordFor({ among: words.targets, code })).join(', '),
                  )
                : text.notFired}
            </li>
          ))}
        </Step>
      </ol>
      {one.targets.map((target) => (
        <TargetCard key={target.target} target={target}>
          {p.mayWrite && target.account?.open === true && target.account.startPassword ? (
            <StartAgain person={one.person.id} />
          ) : null}
        </TargetCard>
      ))}
      {one.holds.length === 0 ? null : (
        <p>
          <Link to="/holds">{words.ready.seeHolds}</Link>
        </p>
      )}
    </>
  );
}

/** One link of the chain. */
function Step(p: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <li>
      <h2 class="h4">{p.title}</h2>
      <ul>{p.children}</ul>
    </li>
  );
}

function stateOf(
  words: ReturnType<typeof useWords>,
  row: { readonly state: string; readonly goneAt: string | null },
): string {
  const state = wordFor({ among: words.person.states, code: row.state });
  return row.goneAt === null ? state : `${state} ${formatDay(words, row.goneAt)}`;
}

function TargetCard(p: { readonly target: Target; readonly children: ComponentChildren }) {
  const { words, language } = useSpeech();
  const text = words.person;
  const { account, places } = p.target;
  return (
    <article class="card hold">
      <div class="card-content">
        <h2 class="h3">{wordFor({ among: words.targets, code: p.target.target })}</h2>
        {account === null ? (
          <p class="quiet">{text.noAccount}</p>
        ) : (
          <>
            <p>
              <strong>{wordFor({ among: words.bars, code: account.state })}</strong> ·{' '}
              {account.open ? text.open : text.closed}
              {account.failure === null ? '' : ` · ${account.failure.sentence[language]}`}
            </p>
            <p class="quiet">
              {account.triedAt === null
                ? words.causes.untried
                : text.tried(formatTime(words, account.triedAt))}
              {account.state === 'due' ? ` · ${text.next(formatTime(words, account.dueAt))}` : ''}
              {account.waitsFor.length === 0 ? '' : ` · ${text.waits(account.waitsFor.join(', '))}`}
            </p>
            {account.decided === null ? null : (
              <p>
                {text.decided}{' '}
                <Link to={`/plans/${account.decided.plan}`}>
                  {words.plans.title(formatTime(words, account.decided.createdAt))}
                </Link>
                {account.decided.reason === null
                  ? ''
                  : `: ${wordFor({ among: words.reasons, code: account.decided.reason })}`}
              </p>
            )}
          </>
        )}
        {p.children}
        {places.length === 0 ? null : (
          <ul class="places">
            {places.map((place) => (
              <li key={`${place.kind} ${place.key}`}>
                <strong>{place.title}</strong>{' '}
                <span class="quiet">
                  {wordFor({ among: words.oneOf, code: place.kind }).toLowerCase()} ·{' '}
                  {place.because[language]}
                </span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </article>
  );
}
