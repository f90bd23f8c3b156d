/**
 * Text and identifiers that all three servers take as they are, so that what they read back is what
 * was written.
 */

import { createHash } from 'node:crypto';
import { transliterate } from './transliterate.ts';

/** Control, format (bidirectional overrides, zero width), private and unassigned characters. */
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu;

/**
 * A given or family name that Keycloak's `person-name-prohibited-characters`, Moodle's tag filter and
 * Nextcloud all accept: `/`, `\` and `|` become a hyphen (`Per/Pia` -> `Per-Pia`), the other refused
 * characters `< > & " $ % ! # ? § ; * ~ ^ = [ ] { } ( )` and backtick go, white space collapses.
 * Apostrophes, commas, hyphens and full stops stay. At most `max` code points (Moodle: 100).
 */
export function cleanPersonName(text: string | null, max = 100): string {
  return clean(text, max, (plain) =>
    plain.replace(/[/\\|]/gu, '-').replace(/[<>&"$%!#?§;*~^=[\]{}()`]/gu, ' '),
  );
}

/**
 * A name of a group, folder, course or category: no slash (Keycloak paths, Nextcloud folders), nothing
 * that a Windows client cannot hold as a folder name, no square brackets (those are kept for
 * `withToken`), no dot or hyphen hanging at either end. At most `max` code points.
 */
export function cleanTitle(text: string, max = 100): string {
  return clean(text, max, (plain) =>
    plain
      .replace(/[/\\|:]/gu, '-')
      .replace(/[<>"*?[\]`\uff3b\uff3d\ufe47\ufe48]/gu, ' ')
      .replace(/\s+/gu, ' ')
      .replace(/\(\s*\)/gu, ' ')
      .replace(/^[\s.-]+|[\s.-]+$/gu, ''),
  ).replace(/[\s.-]+$/u, '');
}

/** Appends a bracketed token within the limit; no cleaned title holds square brackets of its own. */
export function withToken(p: {
  readonly title: string;
  readonly token: string;
  readonly max: number;
}): string {
  const tail = ` [${p.token}]`;
  return `${cleanTitle(p.title, Math.max(0, p.max - tail.length))}${tail}`.trim();
}

function clean(text: string | null, max: number, replace: (plain: string) => string): string {
  const plain = replace(
    (text ?? '').toWellFormed().normalize('NFC').replace(/\s/gu, ' ').replace(invisible, ''),
  );
  return cutCodePoints(plain.replace(/\s+/gu, ' ').trim(), max).trim();
}

/** Cuts by code points: cutting by UTF-16 units can leave half a character, which no server stores. */
export function cutCodePoints(text: string, max: number): string {
  const points = Array.from(text);
  return points.length <= max ? text : points.slice(0, max).join('');
}

/**
 * What two names have in common for the pickiest server: MariaDB's general collation ignores case and
 * marks and takes all characters outside the basic plane for one. Two names that differ after folding
 * differ everywhere.
 */
export function foldName(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[\u{10000}-\u{10ffff}]/gu, '?')
    .replace(/\s+/gu, ' ')
    .trim();
}

/**
 * A stable ASCII token (`a-z0-9._-`) for a roster key, different for different keys: a plain key keeps
 * its text with `_` for each slash (`280001/7a` -> `280001_7a`); any other key is transliterated, cut
 * and ends in a hash of the whole key. At most `max` characters (at least 16).
 */
export function keyToken(key: string, max = 48): string {
  if (key.length <= max && plainKey.test(key) && !hashTail.test(key))
    return key.replaceAll('/', '_');
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 12);
  const readable = transliterate(key)
    .replaceAll('/', '_')
    .replace(/[^a-z0-9._-]+/gu, '-')
    .slice(0, max - 13)
    .replace(/^[._-]+|[._-]+$/gu, '');
  return readable === '' ? `x-${hash}` : `${readable}-${hash}`;
}

const plainKey = /^[a-z0-9][a-z0-9.-]*(\/[a-z0-9][a-z0-9.-]*)*$/;
const hashTail = /-[0-9a-f]{12}$/;

export function sortedUnique(values: Iterable<string>): readonly string[] {
  return [...new Set(values)].sort(compareText);
}

/** Order by UTF-16 units: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A record with its keys in order, so that equal content is equal JSON. */
export function sortedRecord<T>(
  entries: Iterable<readonly [string, T]>,
): Readonly<Record<string, T>> {
  return Object.fromEntries([...entries].sort(([a], [b]) => compareText(a, b)));
}
