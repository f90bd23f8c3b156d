import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Session } from '../api/session.ts';
import type { Refusal } from './api.ts';
import { endSession, readSession, refusalOf, sendToken } from './api.ts';
import { finishSignIn, leaveKeycloak } from './keycloak.ts';
import { Failure } from './load.tsx';
import { BellPage } from './pages/bell.tsx';
import { FeedPage } from './pages/feed.tsx';
import { HoldsPage } from './pages/holds.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { PeoplePage, PersonPage } from './pages/person.tsx';
import { PlanPage } from './pages/plan.tsx';
import { PlansPage } from './pages/plans.tsx';
import { PolicyPage } from './pages/policy.tsx';
import { SchoolsPage } from './pages/schools.tsx';
import { SignInPage } from './pages/sign-in.tsx';
import { Link, usePlace } from './router.tsx';
import { useSpeech, useWords } from './words.ts';

type Entry =
  | { readonly state: 'asking' }
  | { readonly state: 'failed'; readonly refusal: Refusal }
  | { readonly state: 'known'; readonly session: Session };

export function App() {
  const [entry, setEntry] = useState<Entry>({ state: 'asking' });
  const ask = () =>
    enter().then(
      (session) => setEntry({ state: 'known', session }),
      (error: unknown) => setEntry({ state: 'failed', refusal: refusalOf(error) }),
    );
  // Asked once, when the console opens.
  useEffect(() => {
    void ask();
  }, []);
  if (entry.state === 'asking') return <Frame session={null} />;
  if (entry.state === 'failed') {
    return (
      <Frame session={null}>
        <Failure refusal={entry.refusal} again={() => void ask()} />
      </Frame>
    );
  }
  const { session } = entry;
  return (
    <Frame session={session.mayRead ? session : null}>
      {session.mayRead ? (
        <Page session={session} />
      ) : (
        <SignInPage session={session} onSignedIn={() => void ask()} />
      )}
    </Frame>
  );
}

/** Takes in what the address brought: the local token behind `#`, or Keycloak's code. */
async function enter(): Promise<Session> {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token !== null) {
    history.replaceState(null, '', location.pathname + location.search);
    await sendToken(token).catch(() => {});
  }
  const session = await readSession();
  if (session.keycloak === null || !(await finishSignIn(session.keycloak))) return session;
  return readSession();
}

function Page(p: { readonly session: Session }) {
  const { mayWrite, access } = p.session;
  const words = useWords();
  const { path } = usePlace();
  const [, first = '', second = ''] = path.split('/');
  if (second !== '' && first === 'plans') {
    return (
      <PlanPage key={second} id={second} mayWrite={mayWrite} oneUser={access === 'local-token'} />
    );
  }
  switch (first) {
    case '':
      return <OverviewPage mayWrite={mayWrite} />;
    case 'bell':
      return <BellPage mayWrite={mayWrite} />;
    case 'plans':
      return <PlansPage />;
    case 'holds':
      return <HoldsPage mayWrite={mayWrite} />;
    case 'people':
      return second === '' ? (
        <PeoplePage />
      ) : (
        <PersonPage key={second} id={second} mayWrite={mayWrite} />
      );
    case 'schools':
      return <SchoolsPage />;
    case 'policy':
      return <PolicyPage version={second} />;
    case 'feed':
      return <FeedPage />;
    default:
      return <h1>{words.errors.missing}</h1>;
  }
}

const pages = [
  ['/', 'overview'],
  ['/bell', 'bell'],
  ['/plans', 'plans'],
  ['/holds', 'holds'],
  ['/people', 'people'],
  ['/schools', 'schools'],
  ['/policy', 'policy'],
  ['/feed', 'feed'],
] as const;

function Frame(p: { readonly session: Session | null; readonly children?: ComponentChildren }) {
  const { words, language, change } = useSpeech();
  const { path } = usePlace();
  const { session } = p;
  useEffect(() => {
    const page = pages.findLast(([to]) => isWithin(path, to));
    document.title =
      page === undefined ? words.product : `${words.pages[page[1]]} · ${words.product}`;
    // On a narrow screen the pages scroll sideways; the present one is to be seen.
    document
      .querySelector('.pages [aria-current]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [path, words]);

  function signOut(): void {
    if (session?.keycloak) leaveKeycloak(session.keycloak);
    else void endSession().finally(() => location.assign('/'));
  }

  return (
    <>
      <a class="skip" href="#content">
        {words.skip}
      </a>
      <header class="top">
        <div class="container top-row">
          <Link to="/" class="brand">
            <img
              src={new URL('./parts/mark.svg', import.meta.url).href}
              alt=""
              width="32"
              height="32"
            />
            {words.product}
          </Link>
          {session === null ? null : (
            <nav class="pages" aria-label={words.menu}>
              {pages.map(([to, name]) => (
                <Link key={to} to={to} current={isWithin(path, to)}>
                  {words.pages[name]}
                </Link>
              ))}
            </nav>
          )}
          <div class="top-end">
            <button
              type="button"
              class="plain-button"
              onClick={change}
              lang={language === 'da' ? 'en' : 'da'}
            >
              {words.language}
            </button>
            {session === null ? null : (
              <button type="button" class="plain-button" onClick={signOut}>
                {words.signOut}
              </button>
            )}
          </div>
        </div>
      </header>
      <main class="container" id="content" tabIndex={-1}>
        {p.children}
      </main>
    </>
  );
}

function isWithin(path: string, page: string): boolean {
  return page === '/' ? path === '/' : path === page || path.startsWith(`${page}/`);
}
