const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes of a quota as policy writes it (`5 GB`), `unlimited`, `default`, or null for what the server would refuse. */
export function parseQuota(text: string): number | 'unlimited' | 'default' | null {
  if (text === 'none') return 'unlimited';
  if (text === 'default') return 'default';
  const [, number, unit = 'B'] = /^(\d+(?:\.\d+)?) ?([KMGTP]?B)?$/i.exec(text) ?? [];
  if (number === undefined) return null;
  return Math.round(Number(number) * 1024 ** units.indexOf(unit.toUpperCase()));
}

/** What the server shows: a negative number or the word `none` is unlimited. */
export function readQuota(shown: number | string): number | 'unlimited' {
  if (typeof shown === 'number') return shown < 0 ? 'unlimited' : shown;
  const parsed = parseQuota(shown);
  return typeof parsed === 'number' ? parsed : 'unlimited';
}
