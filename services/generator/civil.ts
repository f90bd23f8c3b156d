import type { Person } from './truth.ts';

export interface CivilNumber {
  readonly number: string;
  readonly replacement: boolean;
}

/** Days 1-28 of 12 months, 2050 to 2057, 4,000 serial numbers a day. */
const space = 28 * 12 * 8 * 4000;

/**
 * A fictive civil number for everybody, the same whenever it is asked for. The serial numbers 5000 to
 * 8999 with the years 50 to 57 say "born in 2050 to 2057": nobody living has one. Of fifty people
 * about one has a replacement number (day + 60).
 */
export function civilNumbers(people: readonly Person[]): ReadonlyMap<string, CivilNumber> {
  const taken = new Set<number>();
  return new Map(
    people.map(({ uniId }) => {
      let place = hash(uniId) % space;
      while (taken.has(place)) place = (place + 1) % space;
      taken.add(place);
      return [uniId, toNumber({ place, replacement: hash(`${uniId}?`) % 50 === 0 })];
    }),
  );
}

function toNumber(p: { readonly place: number; readonly replacement: boolean }): CivilNumber {
  const serial = 5000 + (p.place % 4000);
  const days = Math.floor(p.place / 4000);
  const day = 1 + (days % 28) + (p.replacement ? 60 : 0);
  const month = 1 + (Math.floor(days / 28) % 12);
  const year = 50 + Math.floor(days / (28 * 12));
  const two = (n: number) => String(n).padStart(2, '0');
  return {
    number: `${two(day)}${two(month)}${two(year)}${serial}`,
    replacement: p.replacement,
  };
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  return value >>> 0;
}
