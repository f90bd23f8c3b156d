/** A server that names next week is asked again after an hour all the same. */
const longestMs = 3_600_000;

/**
 * The header Retry-After in milliseconds from now, in both of its forms (RFC 9110 §10.2.3): seconds or
 * an HTTP date. At most an hour, 0 for a date that is past; null where there is none that can be read.
 */
export function readRetryAfter(p: {
  readonly header: string | readonly string[] | null | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}): number | null {
  const text = (typeof p.header === 'string' ? p.header : (p.header?.[0] ?? '')).trim();
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, longestMs);
  // Every form of an HTTP date begins with the day of the week; Date.parse alone takes "-5" for a year.
  if (!/^(mon|tue|wed|thu|fri|sat|sun)/i.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.min(Math.max(at - p.now, 0), longestMs);
}
