/**
 * Usernames: given once, kept for life, never given to anybody else. This file only proposes; the
 * caller takes the first candidate that neither the register nor a target has ever seen.
 */

import type { Policy } from './schema.ts';
import { transliterate } from './transliterate.ts';

export interface NamedPerson {
  readonly uniId: string | null;
  readonly given: string | null;
  readonly family: string | null;
  readonly protected: boolean;
}

type Rules = Policy['usernames'];
type Strategy = Rules['strategy'];

/** Letters without vowels and look-alikes (l): chance spells no words and pupils can read them. */
const clearLetters = 'bcdfghjkmnpqrstvwxz';
const clearDigits = '23456789';
const allDigits = '0123456789';
const serialSymbols = `${clearDigits}${clearLetters}`;

/** The longest username that Nextcloud takes. */
const longest = 64;

/** Draws at one length before the next length is tried; a thousand people of one stem stay fast. */
const drawsPerLength = 256;

/** A prefix and a name can spell a reserved beginning; then no serial helps and the next strategy is due. */
const patience = 1000;

/**
 * Candidates in the order in which they should be tried, each a safe username, none twice in a row of
 * one strategy. When a strategy runs dense its serial or random part grows by a digit, so it ends
 * only at 64 characters: a thousand pupils of one name still get usernames.
 *
 * For a protected person nothing comes from the name: `strategyProtected` decides, and a UNI-ID of
 * the old kind, which was made of the name, is passed over.
 */
export function* candidateUsernames(p: {
  readonly policy: Policy;
  readonly person: NamedPerson;
  /** In [0, 1). */
  readonly random: () => number;
}): Generator<string> {
  const rules = p.policy.usernames;
  const { person, random } = p;
  const strategies: readonly Strategy[] = person.protected
    ? [rules.strategyProtected, 'random']
    : [rules.strategy, rules.fallback, 'random'];
  for (const strategy of new Set(strategies)) {
    let refused = 0;
    for (const candidate of generate({ strategy, rules, person, random })) {
      if (isSafeUsername(candidate)) {
        refused = 0;
        yield candidate;
      } else if (++refused === patience) {
        break;
      }
    }
  }
}

/**
 * 3-64 of `a-z0-9._-` beginning with a letter or digit, not reserved, and not shaped like a civil
 * number. Every target takes such a name unchanged.
 */
export function isSafeUsername(username: string): boolean {
  return (
    /^[a-z0-9][a-z0-9._-]{2,63}$/.test(username) &&
    !isReservedUsername(username) &&
    !looksLikeCivilNumber(username)
  );
}

const reservedNames: ReadonlySet<string> = new Set([
  'admin',
  'administrator',
  'root',
  'guest',
  'system',
  'sysadmin',
  'support',
  'postmaster',
  'webmaster',
  'nobody',
  'anonymous',
  'everyone',
  'all',
  'keycloak',
  'nextcloud',
  'moodle',
  // Names of files and folders in Nextcloud's data folder: refused as user ids.
  'files_external',
  '__groupfolders',
  '.htaccess',
  '.ocdata',
  '.ncdata',
  'owncloud.log',
  'nextcloud.log',
  'updater.log',
  'audit.log',
]);

const reservedBeginnings: readonly string[] = [
  'skolebus',
  'service-account-',
  'appdata_',
  'updater-',
];

/** Ids that belong to the servers or to Skolebus itself. */
function isReservedUsername(username: string): boolean {
  const name = username.toLowerCase();
  return reservedNames.has(name) || reservedBeginnings.some((start) => name.startsWith(start));
}

/** Day, month, year and four more: a Danish civil number, also a replacement number (day + 60). */
function looksLikeCivilNumber(username: string): boolean {
  return /^(0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01])(0[1-9]|1[0-2])\d{2}-?[a-z0-9]{3}\d$/.test(
    username,
  );
}

interface Draft {
  readonly strategy: Strategy;
  readonly rules: Rules;
  readonly person: NamedPerson;
  readonly random: () => number;
}

function generate(draft: Draft): Iterable<string> {
  const { rules, person, random } = draft;
  const name = () => stem({ person, letters: rules.letters });
  const short = () => stem({ person, letters: 3 });
  switch (draft.strategy) {
    case 'uni-id':
      return uniIdOf({ person, kind: 'any' });
    case 'uni-id-or-name-sequential':
      return chain(uniIdOf({ person, kind: 'old' }), () =>
        counted({ before: name(), symbols: allDigits, width: rules.digits, after: '' }),
      );
    case 'uni-id-or-name-random':
      return chain(uniIdOf({ person, kind: 'old' }), () =>
        drawn({ before: name(), symbols: allDigits, width: rules.digits, after: '', random }),
      );
    case 'name-sequential':
      return counted({ before: name(), symbols: allDigits, width: rules.digits, after: '' });
    case 'digits-name':
      return drawn({ before: '', symbols: clearDigits, width: 3, after: short(), random });
    case 'prefix-name-serial':
      return counted({
        before: `${rules.prefix}${short()}`,
        symbols: serialSymbols,
        width: 3,
        after: '',
      });
    case 'prefix-serial-name':
      return counted({ before: rules.prefix, symbols: serialSymbols, width: 3, after: short() });
    case 'random':
      return drawnWithLetters({ letters: rules.letters, digits: rules.digits, random });
  }
}

function* chain(first: Iterable<string>, rest: () => Iterable<string>): Generator<string> {
  yield* first;
  yield* rest();
}

/**
 * The UNI-ID in lower case. The old kind has 8 characters and begins with letters of the name
 * (`henr276q`); the new kind has 10 and is drawn (`1000013b36`). A run of three letters counts as made
 * of the name: a drawn one that has such a run by chance merely gets another username.
 */
function uniIdOf(p: {
  readonly person: NamedPerson;
  readonly kind: 'any' | 'old';
}): readonly string[] {
  const uniId = p.person.uniId?.trim().toLowerCase() ?? '';
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(uniId)) return [];
  if (p.kind === 'old' && uniId.length !== 8) return [];
  if (p.person.protected && /[a-z]{3}/.test(uniId)) return [];
  return [uniId];
}

/** The first letters of the given name, padded with `x`: `Bo` -> `boxx`. */
function stem(p: { readonly person: NamedPerson; readonly letters: number }): string {
  const given = onlyLetters(p.person.given);
  const base = given === '' ? onlyLetters(p.person.family) : given;
  return base.slice(0, p.letters).padEnd(p.letters, 'x');
}

function onlyLetters(name: string | null): string {
  return transliterate(name ?? '').replace(/[^a-z]/g, '');
}

interface Pattern {
  readonly before: string;
  readonly symbols: string;
  readonly width: number;
  readonly after: string;
}

/** All serials of a width in order, then all of the next width. */
function* counted(p: Pattern): Generator<string> {
  for (let width = p.width; p.before.length + width + p.after.length <= longest; width++) {
    const end = p.symbols.length ** width;
    for (let serial = 0; serial < end; serial++) {
      yield `${p.before}${writeNumber({ value: serial, symbols: p.symbols, width })}${p.after}`;
    }
  }
}

/** Random serials, no two alike, with a longer serial once this length has been drawn often enough. */
function* drawn(p: Pattern & { readonly random: () => number }): Generator<string> {
  for (let width = p.width; p.before.length + width + p.after.length <= longest; width++) {
    const seen = new Set<string>();
    for (let draw = 0; draw < drawsPerLength; draw++) {
      const serial = drawText({ symbols: p.symbols, width, random: p.random });
      if (seen.has(serial)) continue;
      seen.add(serial);
      yield `${p.before}${serial}${p.after}`;
    }
  }
}

function* drawnWithLetters(p: {
  readonly letters: number;
  readonly digits: number;
  readonly random: () => number;
}): Generator<string> {
  for (let width = p.digits; p.letters + width <= longest; width++) {
    const seen = new Set<string>();
    for (let draw = 0; draw < drawsPerLength; draw++) {
      const letters = drawText({ symbols: clearLetters, width: p.letters, random: p.random });
      const username = `${letters}${drawText({ symbols: clearDigits, width, random: p.random })}`;
      if (seen.has(username)) continue;
      seen.add(username);
      yield username;
    }
  }
}

function drawText(p: {
  readonly symbols: string;
  readonly width: number;
  readonly random: () => number;
}): string {
  let text = '';
  for (let place = 0; place < p.width; place++) {
    const index = Math.min(p.symbols.length - 1, Math.floor(p.random() * p.symbols.length));
    text += p.symbols.charAt(index);
  }
  return text;
}

function writeNumber(p: {
  readonly value: number;
  readonly symbols: string;
  readonly width: number;
}): string {
  let rest = p.value;
  let text = '';
  for (let place = 0; place < p.width; place++) {
    text = p.symbols.charAt(rest % p.symbols.length) + text;
    rest = Math.floor(rest / p.symbols.length);
  }
  return text;
}
