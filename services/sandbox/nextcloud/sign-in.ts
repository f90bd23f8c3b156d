import { randomBytes } from 'node:crypto';
import type { Behaviour } from './behaviour.ts';
import type { Ask } from './exchange.ts';
import { findUser, hashSecret, type State, secondsNow, type User } from './state.ts';

/** A password confirmation holds for 30 minutes and 15 seconds. */
const confirmationSeconds = 30 * 60 + 15;

export interface Session {
  readonly user: string;
  /** Seconds; 0 when the session was made with an app password. */
  confirmedAt: number;
  fresh: boolean;
}

export interface Caller {
  readonly user: User;
  readonly admin: boolean;
  /** The password was given within the last half hour, so that writes are allowed. */
  readonly confirmed: boolean;
}

export type SignIn =
  | { readonly state: 'in'; readonly caller: Caller; readonly cookies: readonly string[] }
  | { readonly state: 'anonymous' }
  | { readonly state: 'wrong' }
  | { readonly state: 'disabled' };

/**
 * Who is asking. A session takes two requests with Basic and cookies: the first answer sets a test
 * cookie, the second finds it and makes the session (recording nextcloud-34.0.1/20). Sessions live in
 * memory: after a restart they are gone, as after a flush of a real server's cache.
 */
export function signIn(p: {
  readonly state: State;
  readonly behaviour: Behaviour;
  readonly sessions: Map<string, Session>;
  readonly ask: Ask;
}): SignIn {
  const { state, ask } = p;
  const instance = state.settings.get('instanceid')?.value ?? 'oc';
  const sessionId = ask.cookies.get('nc_session_id') ?? '';
  const session = p.sessions.get(sessionId);
  const basic = readBasic(ask.headers.authorization ?? '');
  if (basic === null) {
    const user = session === undefined ? undefined : findUser(state, session.user);
    if (session === undefined || user === undefined) return { state: 'anonymous' };
    if (!user.enabled) return { state: 'disabled' };
    const cookies = session.fresh ? [instance] : [];
    session.fresh = false;
    return welcome({ ...p, user, confirmed: isConfirmed(session), cookies });
  }
  const found = findByPassword(state, basic);
  if (found === null) return { state: 'wrong' };
  const { user } = found;
  if (!user.enabled) return { state: 'disabled' };
  noteLogin(state, user);
  const confirmed = found.real || p.behaviour.appPasswordMayWrite;
  const confirmedAt = confirmed ? secondsNow() : 0;
  if (session !== undefined && session.user === user.id) {
    session.confirmedAt = confirmedAt;
    return welcome({ ...p, user, confirmed, cookies: [] });
  }
  if (!ask.cookies.has('cookie_test')) {
    const cookies = ['oc_sessionPassphrase', 'nc_sameSiteCookielax', 'nc_sameSiteCookiestrict'];
    return welcome({ ...p, user, confirmed, cookies: [...cookies, instance, 'cookie_test'] });
  }
  const made = randomBytes(16).toString('hex');
  p.sessions.set(made, { user: user.id, confirmedAt, fresh: true });
  const cookies = ['nc_username', 'nc_token', `nc_session_id=${made}`, instance];
  return welcome({ ...p, user, confirmed, cookies });
}

function welcome(p: {
  readonly user: User;
  readonly confirmed: boolean;
  readonly cookies: readonly string[];
}): SignIn {
  const caller = { user: p.user, admin: p.user.groups.includes('admin'), confirmed: p.confirmed };
  const cookies = p.cookies.map((cookie) => {
    const pair = cookie.includes('=') ? cookie : `${cookie}=${randomBytes(8).toString('hex')}`;
    return `${pair}; path=/; HttpOnly; SameSite=Lax`;
  });
  return { state: 'in', caller, cookies };
}

function isConfirmed(session: Session): boolean {
  return session.confirmedAt > secondsNow() - confirmationSeconds;
}

interface Basic {
  readonly name: string;
  readonly secret: string;
}

function readBasic(header: string): Basic | null {
  const [scheme = '', encoded = ''] = header.split(' ');
  if (scheme.toLowerCase() !== 'basic') return null;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? null : { name: text.slice(0, colon), secret: text.slice(colon + 1) };
}

function findByPassword(
  state: State,
  basic: Basic,
): { readonly user: User; readonly real: boolean } | null {
  const user = findUser(state, basic.name);
  const hash = hashSecret(basic.secret);
  if (user === undefined) return null;
  if (user.password === hash) return { user, real: true };
  const app = state.appPasswords.get(hash);
  return app?.user === user.id ? { user, real: false } : null;
}

function noteLogin(state: State, user: User): void {
  const now = secondsNow();
  if (user.lastLogin === now) return;
  if (user.firstLogin === 0) user.firstLogin = now;
  user.lastLogin = now;
  // Not saveUser: a login does not change the order of display names.
  state.users.set(user.id.toLowerCase(), user);
}
