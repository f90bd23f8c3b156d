import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRetryAfter } from '../../provisioning/target/pace/retry-after.ts';

const now = Date.parse('2026-11-27T08:00:00Z');

describe('Retry-After', () => {
  it.each([
    ['seconds', '120', 120_000],
    ['with spaces', ' 7 ', 7000],
    ['none at all', '0', 0],
    ['a date', 'Fri, 27 Nov 2026 08:01:30 GMT', 90_000],
    ['a date of the oldest form', 'Fri Nov 27 08:00:05 2026 GMT', 5000],
    ['a date that is past', 'Fri, 27 Nov 2026 07:00:00 GMT', 0],
    ['an hour at most', '86400', 3_600_000],
    ['an hour at most, as a date', 'Sat, 28 Nov 2026 08:00:00 GMT', 3_600_000],
    ['the first of two', ['3', '9'], 3000],
    ['no header', undefined, null],
    ['an empty one', '', null],
    ['a negative number', '-5', null],
    ['a fraction', '1.5', null],
    ['words', 'soon', null],
    ['a day that is none', 'Friday', null],
  ] as const)('%s', (_title, header, expected) => {
    expect(readRetryAfter({ header, now })).toBe(expected);
  });

  it('is read from anything without failing, never negative and never beyond an hour', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.date().map(String)), (header) => {
        const ms = readRetryAfter({ header, now });
        return ms === null || (ms >= 0 && ms <= 3_600_000);
      }),
    );
  });

  it('reads every date that HTTP writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3600 }), (seconds) => {
        const header = new Date(now + 1000 * seconds).toUTCString();
        return readRetryAfter({ header, now }) === 1000 * seconds;
      }),
    );
  });
});
