import type { PersonId } from './record.ts';

/** Printable ASCII that neither starts nor ends with a space: what most cells are. */
const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/**
 * Text as the roster keeps it: NFC (files from macOS arrive as NFD), control characters gone
 * (PostgreSQL stores no NUL), white space collapsed, null where nothing is left.
 */
export function cleanText(raw: string | null | undefined): string | null {
  if (raw === null || raw === undefined || raw === '') return null;
  if (plain.test(raw) && !raw.includes('  ')) return raw;
  const text = raw
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to go.
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
    .replace(/[\u200b\u2060\ufeff]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .normalize('NFC');
  return text === '' ? null : text;
}

/** Letters that were lost or read in the wrong encoding before the feed was written. */
export function looksGarbled(text: string | null): boolean {
  return text !== null && /\ufffd|Ã[\u0080-\u00bf˜†…¦©˜‚ƒ„‡ˆ‰Š‹ŒŽ‘’“”•–—™š›œžŸ]/.test(text);
}

/**
 * True for what has the shape of a Danish civil number (CPR): day, month, year, four more. Fictive
 * numbers count too: day + 60, or letters among the last four. Without the dash only digits count,
 * because uni-ids have ten characters as well.
 */
export function looksCivil(value: string): boolean {
  const match =
    /^(\d{2})(\d{2})\d{2}-[0-9A-Za-zÆØÅæøå]{4}$/.exec(value) ?? /^(\d{2})(\d{2})\d{6}$/.exec(value);
  if (match === null) return false;
  const day = Number(match[1]);
  const month = Number(match[2]);
  return month >= 1 && month <= 12 && ((day >= 1 && day <= 31) || (day >= 61 && day <= 91));
}

/** Ids without doubles, in one order for all readers. */
export function sortIds(ids: readonly PersonId[]): readonly PersonId[] {
  const seen = new Map(ids.map((id) => [`${id.system}\n${id.value}`, id]));
  return [...seen.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, id]) => id);
}

/** Strings cut from a large buffer keep the whole buffer alive in V8; keys that are kept are copied. */
export function ownCopy(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
