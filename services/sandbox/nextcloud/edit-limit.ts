/**
 * Nextcloud lets an account edit 50 profiles in ten minutes, for each of the two ways to do it
 * (measured on 32.0.1 and 34.0.1; the source of 29.0.1 says the same).
 */
export interface EditLimit {
  /** Off where the administrator has exempted the address or raised the limit. */
  on: boolean;
  /** When edits stop counting, in seconds, by account and way. */
  readonly taken: Map<string, readonly number[]>;
}

const most = 50;
const periodSeconds = 600;

export function openEditLimit(): EditLimit {
  return { on: false, taken: new Map() };
}

/** Whether one more edit is let through; counts it then. What is refused does not count. */
export function takeEdit(p: {
  readonly limit: EditLimit;
  readonly user: string;
  readonly method: string;
}): boolean {
  const key = `${p.method} ${p.user}`;
  const now = Math.floor(Date.now() / 1000);
  const standing = (p.limit.taken.get(key) ?? []).filter((until) => until > now);
  if (p.limit.on && standing.length >= most) return false;
  p.limit.taken.set(key, [...standing, now + periodSeconds].slice(-most));
  return true;
}
