import type { Words } from './words.ts';

export function formatNumber(words: Words, value: number): string {
  return new Intl.NumberFormat(words.locale).format(value);
}

/** Rounded down, so that 100 % means all of it. */
export function formatPercent(words: Words, p: { readonly part: number; readonly of: number }) {
  const share = p.of === 0 ? 0 : p.part / p.of;
  const digits = share === 1 || share === 0 ? 0 : 1;
  const scale = 10 ** (digits + 2);
  return new Intl.NumberFormat(words.locale, {
    style: 'percent',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(Math.floor(share * scale) / scale);
}

export function formatTime(words: Words, iso: string): string {
  return new Intl.DateTimeFormat(words.locale, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  }).format(new Date(iso));
}

export function formatDay(words: Words, iso: string): string {
  return new Intl.DateTimeFormat(words.locale, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
  }).format(new Date(iso));
}

/** `in 20 seconds`, `in 3 minutes`. */
export function formatWait(words: Words, seconds: number): string {
  if (seconds < 2) return words.causes.now;
  const relative = new Intl.RelativeTimeFormat(words.locale, { numeric: 'always' });
  if (seconds < 90) return relative.format(Math.round(seconds), 'second');
  return relative.format(Math.round(seconds / 60), 'minute');
}
