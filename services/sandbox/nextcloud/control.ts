import type { EditLimit } from './edit-limit.ts';
import { type Answer, type Ask, answerJson, fieldOf } from './exchange.ts';
import type { Session } from './sign-in.ts';
import { findUser, type State, saveUser } from './state.ts';

/** What an administrator does on a real server outside HTTP, and what only time would do. */
export interface NextcloudControl {
  /** `occ maintenance:mode`. */
  setMaintenance(on: boolean): void;
  /** Lets the half hour of every session's password confirmation run out. */
  expireConfirmations(): void;
  /**
   * On: 50 edits of profiles in ten minutes, as a server is that nobody set up for us. Off at first, as
   * after the administrator has exempted our address.
   */
  limitEdits(on: boolean): void;
  /** Forgets every session, as a flushed cache does. */
  dropSessions(): void;
  /** Accounts that an administrator made by hand. */
  addPlainUsers(ids: readonly string[]): void;
  /** Moves local accounts to user_oidc in the database, which no API can (reference sign-in 1.9). */
  moveToOidc(ids: readonly string[]): void;
  /** Back to the recordings' baseline: only the administrator. */
  reset(): void;
}

/**
 * The same over HTTP, for scripts that run beside the stand-in. The stand-in listens on loopback
 * only, so that nobody else reaches it:
 *
 * - `POST /__sandbox/maintenance` with `on=true` or `on=false`
 * - `POST /__sandbox/edit-limit` with `on=true` or `on=false`
 * - `POST /__sandbox/confirmations/expire`
 * - `POST /__sandbox/sessions/drop`
 * - `POST /__sandbox/users` with `id[]=...`
 * - `POST /__sandbox/reset`
 */
export function answerControl(control: NextcloudControl, ask: Ask): Answer {
  if (ask.method !== 'POST') return answerJson(405, { message: 'Use POST' });
  switch (ask.path) {
    case '/__sandbox/maintenance':
      control.setMaintenance(fieldOf(ask, 'on') === 'true');
      break;
    case '/__sandbox/edit-limit':
      control.limitEdits(fieldOf(ask, 'on') === 'true');
      break;
    case '/__sandbox/confirmations/expire':
      control.expireConfirmations();
      break;
    case '/__sandbox/sessions/drop':
      control.dropSessions();
      break;
    case '/__sandbox/users':
      control.addPlainUsers(ask.fields.get('id') ?? []);
      break;
    case '/__sandbox/reset':
      control.reset();
      break;
    default:
      return answerJson(404, { message: 'No such control' });
  }
  return answerJson(200, { done: true });
}

export function buildControl(p: {
  readonly state: State;
  readonly sessions: Map<string, Session>;
  readonly editLimit: EditLimit;
  readonly addUser: (id: string) => void;
  readonly reset: () => void;
}): NextcloudControl {
  return {
    setMaintenance(on) {
      p.state.settings.set('maintenance', { value: on ? 'on' : 'off' });
    },
    limitEdits(on) {
      p.editLimit.on = on;
      p.editLimit.taken.clear();
    },
    expireConfirmations() {
      for (const session of p.sessions.values()) session.confirmedAt = 0;
    },
    dropSessions() {
      p.sessions.clear();
    },
    addPlainUsers(ids) {
      for (const id of ids) p.addUser(id);
    },
    moveToOidc(ids) {
      for (const id of ids) {
        const user = findUser(p.state, id);
        if (user !== undefined)
          saveUser(p.state, { ...user, backend: 'user_oidc', password: null });
      }
    },
    reset() {
      p.sessions.clear();
      p.editLimit.taken.clear();
      p.reset();
    },
  };
}
