import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeForm } from '../../provisioning/target/moodle/http.ts';
import {
  dayOf,
  endOfDay,
  keyOfMark,
  ownerMark,
  startOfDay,
  unescapeName,
} from '../../provisioning/target/moodle/mark.ts';
import { escapeName } from '../../services/sandbox/moodle/call.ts';
import { parseForm, type Raw } from '../../services/sandbox/moodle/params.ts';

function plain(raw: Raw): unknown {
  if (typeof raw === 'string') return raw;
  return Object.fromEntries([...raw].map(([key, value]) => [key, plain(value)]));
}

/** What forms, PHP and HTML take special notice of, and letters of several lengths in UTF-8. */
const wild = fc.string({ unit: fc.constantFrom(...'æØ&=+%[]<>"\' \n\0.;#🎓–aB0') });

describe('a form', () => {
  test('is written as PHP reads it', () => {
    expect(encodeForm({ users: [{ id: 1, customfields: [{ type: 'a', value: 'æ&=b' }] }] })).toBe(
      'users%5B0%5D%5Bid%5D=1&users%5B0%5D%5Bcustomfields%5D%5B0%5D%5Btype%5D=a' +
        '&users%5B0%5D%5Bcustomfields%5D%5B0%5D%5Bvalue%5D=%C3%A6%26%3Db',
    );
  });

  test('arrives with every text as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ name: wild, idnumber: wild })), (items) => {
        const text = encodeForm({ items });
        const read = plain(parseForm({ text, maxInputVars: 20_000 }));
        const expected = Object.fromEntries(items.map((item, index) => [String(index), item]));
        expect(read).toEqual(items.length === 0 ? {} : { items: expected });
      }),
    );
  });

  test('never holds more fields than the limit says', () => {
    const text = encodeForm({ values: Array.from({ length: 50 }, (_, index) => index) });
    const values = parseForm({ text, maxInputVars: 7 }).get('values');
    expect(values instanceof Map ? values.size : 0).toBe(7);
  });
});

describe('an owner mark', () => {
  const kinds = fc.constantFrom('account', 'category', 'cohort', 'course');

  test('fits its column and is one per key', () => {
    fc.assert(
      fc.property(kinds, fc.string({ minLength: 1, maxLength: 400 }), (kind, key) => {
        const mark = ownerMark({ kind, key });
        expect([...mark].length).toBeLessThanOrEqual(kind === 'account' ? 255 : 100);
        if (!mark.includes('~')) expect(keyOfMark(mark)).toBe(key);
      }),
    );
    const long = 'group:'.padEnd(200, 'x');
    expect(ownerMark({ kind: 'cohort', key: `${long}a` })).not.toBe(
      ownerMark({ kind: 'cohort', key: `${long}b` }),
    );
  });

  test('is not seen in what others write', () => {
    for (const idnumber of [null, undefined, '', 'uni-101-1', 'SKOLEBUS:x', ' skolebus:x']) {
      expect(keyOfMark(idnumber)).toBeNull();
    }
  });
});

test('names come back as they were sent', () => {
  // A name that already holds an entity is stored as it is and cannot be told from an escaped one.
  const names = wild.filter((name) => !/&[a-zA-Z0-9#]{1,8};/.test(name));
  fc.assert(
    fc.property(names, (name) => {
      expect(unescapeName(escapeName(name))).toBe(name);
    }),
  );
});

test('days stay days, also when the clock changes', () => {
  const days = fc.date({
    min: new Date('1990-01-01'),
    max: new Date('2060-12-31'),
    noInvalidDate: true,
  });
  const zones = fc.constantFrom('Europe/Copenhagen', 'UTC', 'America/New_York', 'Atlantic/Azores');
  fc.assert(
    fc.property(days, zones, (date, zone) => {
      const day = date.toISOString().slice(0, 10);
      expect(dayOf(startOfDay(day, zone), zone)).toBe(day);
      expect(dayOf(endOfDay(day, zone), zone)).toBe(day);
      expect(endOfDay(day, zone)).toBeGreaterThan(startOfDay(day, zone));
    }),
  );
  expect(startOfDay('2026-11-21', 'Europe/Copenhagen')).toBe(1_795_215_600);
  expect(dayOf(0, 'Europe/Copenhagen')).toBeNull();
});
