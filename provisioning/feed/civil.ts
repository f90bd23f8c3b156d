import { createHmac } from 'node:crypto';
import type { Diagnostic, PersonId } from './record.ts';

/** The key of a tenant's hashes. */
export interface IdentityKey {
  /** SKOLEBUS_IDENTITY_KEY. */
  readonly key: string;
  /** Part of every hash: the same number in two tenants gives two hashes that cannot be compared. */
  readonly tenant: string;
}

export const shortestIdentityKey = 32;

/**
 * Turns a civil number into what may be kept of it: an HMAC-SHA-256 under the tenant's key. Readers
 * call it where they meet the number, before any record exists, and hand nothing else on.
 */
export interface CivilSeal {
  /**
   * The evidence in a number, null where there is none:
   *
   *   day 1-31, digits                     `civil:K`        points to one person
   *   day 61-91, letters, or 0000 at last  `replacement:K`  made up until the real one is known
   *   anything else, all digits the same   nothing
   *
   * K tells keys apart: hashes under another key are of another system, and never contradict.
   */
  seal(written: string): PersonId | null;
  /** True when a number was met and there is no key. */
  readonly unused: boolean;
}

export function createCivilSeal(identity: IdentityKey | null): CivilSeal {
  let unused = false;
  const secret = identity === null ? null : secretOf(identity);
  const name = secret === null ? '' : hash(secret, 'name').slice(0, 8);
  return {
    get unused() {
      return unused;
    },
    seal(written) {
      const number = written.replace(/[\s-]/g, '').toUpperCase();
      const kind = kindOf(number);
      if (kind === null) return null;
      if (secret === null) {
        unused = true;
        return null;
      }
      return { system: `${kind}:${name}`, value: hash(secret, number) };
    },
  };
}

/** What the feed calls a replacement number is one, whatever it looks like. */
export function asReplacement(id: PersonId): PersonId {
  return { ...id, system: id.system.replace(/^civil:/, 'replacement:') };
}

export const civilUnused: Diagnostic = {
  code: 'civil-unused',
  severity: 'info',
  file: '',
  line: null,
  field: null,
  message:
    'Civil numbers are not used to recognise people: SKOLEBUS_IDENTITY_KEY is not set. They were not read.',
};

function secretOf({ key, tenant }: IdentityKey): Buffer {
  if (key.length < shortestIdentityKey) {
    throw new RangeError(`An identity key has at least ${shortestIdentityKey} characters.`);
  }
  return createHmac('sha256', key).update(`tenant ${tenant}`).digest();
}

function hash(secret: Buffer, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

function kindOf(number: string): 'civil' | 'replacement' | null {
  const match = /^(\d\d)(\d\d)\d\d([0-9A-ZÆØÅ]{4})$/.exec(number);
  if (match === null || /^(.)\1+$/.test(number)) return null;
  const [, dayText, monthText, serial = ''] = match;
  const day = Number(dayText);
  const month = Number(monthText);
  if (month < 1 || month > 12) return null;
  if (day >= 61 && day <= 91) return 'replacement';
  if (day < 1 || day > 31) return null;
  return /^\d{4}$/.test(serial) && serial !== '0000' ? 'civil' : 'replacement';
}
