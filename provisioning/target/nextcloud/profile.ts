import { userPath } from './api.ts';
import { isLost, NextcloudError } from './failure.ts';
import type { Ask, Reply, Session } from './session.ts';

export type ProfileField = 'displayname' | 'email' | 'quota' | 'language';

type Changes = ReadonlyMap<ProfileField, string>;

/** What became of a field; null: the server's limit is reached, and nothing was sent or done. */
export type Written = readonly [field: ProfileField, reply: Reply | null];

/**
 * Edits of profiles by one service account. Nextcloud lets an account make 50 in ten minutes with
 * `PUT`, and since 34 another 50 with `PATCH`, administrators too (29.0.1, 32.0.1 and 34.0.1; 429
 * without Retry-After). Creating, groups, enabling and disabling are not limited.
 */
export interface ProfileEditor {
  /** @throws NextcloudError as Session.ask does, except for too many requests */
  write(p: { readonly userId: string; readonly changes: Changes }): Promise<readonly Written[]>;
  /** Milliseconds until the server takes another edit, by what this editor has sent itself. */
  closedForMs(): number;
}

const names = {
  displayname: 'displayName',
  email: 'email',
  quota: 'quota',
  language: 'language',
} as const;

/**
 * Several fields go in one `PATCH`, which 34.0.1 has and 32.0.1 answers with 405. It writes all or
 * nothing; what it refuses is written one by one, so that the field at fault is found and the others
 * stand.
 */
export function openProfileEditor(p: { readonly session: Session }): ProfileEditor {
  const one = openWindow();
  const whole = openWindow();
  let takesWhole = true;

  async function send(window: Window, asked: Ask): Promise<Reply | null> {
    if (window.closedForMs() > 0) return null;
    try {
      const reply = await p.session.ask(asked);
      window.note();
      return reply;
    } catch (error) {
      if (isLost(error)) window.note();
      if (!(error instanceof NextcloudError) || error.code !== 'too-many-requests') throw error;
      window.close(error.afterMs);
      return null;
    }
  }

  /** Null: not written, the server has no such way, refuses a field, or takes no more edits. */
  async function sendWhole(path: string, changes: Changes): Promise<readonly Written[] | null> {
    if (!takesWhole || changes.size === 0) return null;
    const form = Object.fromEntries([...changes].map(([key, value]) => [names[key], value]));
    const reply = await send(whole, { method: 'PATCH', path, form });
    if (reply?.code === 405) takesWhole = false;
    return reply?.ok ? [...changes.keys()].map((field) => [field, reply]) : null;
  }

  return {
    async write({ userId, changes }) {
      const path = userPath(userId);
      const atOnce = changes.size > 1 ? await sendWhole(path, changes) : null;
      if (atOnce !== null) return atOnce;
      const written: Written[] = [];
      const left = new Map(changes);
      for (const [key, value] of changes) {
        const reply = await send(one, { method: 'PUT', path, form: { key, value } });
        if (reply === null) break;
        written.push([key, reply]);
        left.delete(key);
      }
      // The other way may have edits left when this one has none.
      const rest = await sendWhole(path, left);
      return [...written, ...(rest ?? [...left.keys()].map((key) => [key, null] as const))];
    },
    closedForMs() {
      const [single, several] = [one.closedForMs(), whole.closedForMs()];
      return takesWhole && several > 0 ? Math.min(single, several) : single;
    },
  };
}

interface Window {
  note(): void;
  close(atLeastMs: number): void;
  closedForMs(): number;
}

/** Each edit counts for ten minutes from its own time on (read in the source of 29.0.1 to 34.0.1). */
const windowMs = 10 * 60 * 1000;
/** The server counts in whole seconds. */
const roundingMs = 1000;
/** For edits by an earlier process, whose times nobody knows. */
const unknownMs = 60 * 1000;

function openWindow(): Window {
  const sent: number[] = [];
  let closedUntil = 0;
  return {
    note() {
      const now = Date.now();
      while (sent[0] !== undefined && sent[0] <= now - windowMs) sent.shift();
      sent.push(now);
    },
    close(atLeastMs) {
      const now = Date.now();
      while (sent[0] !== undefined && sent[0] <= now - windowMs) sent.shift();
      const oldest = sent[0];
      const wait = oldest === undefined ? unknownMs : oldest + windowMs + roundingMs - now;
      closedUntil = now + Math.max(wait, atLeastMs);
    },
    closedForMs: () => Math.max(0, closedUntil - Date.now()),
  };
}
