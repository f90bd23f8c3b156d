import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cleanPersonName,
  cleanTitle,
  foldName,
  keyToken,
} from '../../provisioning/policy/naming.ts';
import { needsAlias, shownName } from '../../provisioning/policy/shown-name.ts';

const open = { protected: false, given: 'Ida', family: 'Møller' };
const hidden = { protected: true, given: null, family: null };

describe('shown names', () => {
  it.each([
    ['a name', open, ['Ida', 'Møller', 'Ida Møller']],
    ['one name only', { ...open, family: null }, ['Ida', '-', 'Ida']],
    ['no name at all', { ...open, given: ' ', family: null }, ['Navn', 'Mangler', 'Navn Mangler']],
    ['an alias', { protected: true, given: 'F', family: 'E' }, ['F', 'E', 'F E']],
    ['half an alias', { protected: true, given: 'F', family: null }, ['F', '-', 'F']],
    ['no alias', hidden, ['Navn', 'Beskyttet', 'Navn Beskyttet']],
    ['brackets', { ...open, given: 'Ida (vikar)' }, ['Ida vikar', 'Møller', 'Ida vikar Møller']],
    ['a slash', { ...open, given: 'Per/Pia' }, ['Per-Pia', 'Møller', 'Per-Pia Møller']],
    ['an apostrophe', { ...open, family: "O'Neill" }, ['Ida', "O'Neill", "Ida O'Neill"]],
    ['tags', { ...open, given: '<b>Ida</b>' }, ['b Ida -b', 'Møller', 'b Ida -b Møller']],
  ])('of people with %s', (_, someone, [given, family, full]) => {
    expect(shownName(someone)).toEqual({ given, family, full });
  });

  it('miss an alias only where nothing of one is there', () => {
    expect(needsAlias(hidden)).toBe(true);
    expect(needsAlias({ ...hidden, given: ' ' })).toBe(true);
    expect(needsAlias({ ...hidden, given: 'F' })).toBe(false);
    expect(needsAlias({ ...hidden, protected: false })).toBe(false);
  });

  it('fit every server, whatever the feed says', () => {
    const wild = fc.option(fc.string({ unit: 'binary', maxLength: 300 }));
    const person = fc.record({ protected: fc.boolean(), given: wild, family: wild });
    fc.assert(
      fc.property(person, (someone) => {
        const { given, family, full } = shownName(someone);
        for (const part of [given, family, full]) {
          expect(part).not.toBe('');
          expect(part).toBe(part.trim());
          expect(part.isWellFormed()).toBe(true);
          expect(part).not.toMatch(/[<>&"$%!#?§;*~/\\|^=[\]{}()`\p{Cc}]/u);
        }
        expect(Array.from(given).length).toBeLessThanOrEqual(100);
        expect(Array.from(family).length).toBeLessThanOrEqual(100);
        expect(Array.from(full).length).toBeLessThanOrEqual(64);
      }),
    );
  });
});

describe('cleaning', () => {
  it.each([
    ['3.A/B', '3.A-B'],
    [' ..7.A.. ', '7.A'],
    ['7.A ()', '7.A'],
    ['D&H', 'D&H'],
    ['a:b*c?"d"<e>|f\\g', 'a-b c d e -f-g'],
    ['[7.A]', '7.A'],
  ])('makes %j a title', (text, expected) => {
    expect(cleanTitle(text)).toBe(expected);
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 150 }), (text) => {
        expect(cleanTitle(cleanTitle(text))).toBe(cleanTitle(text));
        expect(cleanPersonName(cleanPersonName(text))).toBe(cleanPersonName(text));
      }),
    );
  });
});

describe('folding', () => {
  it.each([
    ['7.A', '7.a'],
    ['Åby', 'aby'],
    ['7.A 🍎', '7.A 🍌'],
    ['7  A', '7 A'],
  ])('takes %s and %s for one', (a, b) => {
    expect(foldName(a)).toBe(foldName(b));
  });

  it.each([
    ['7.A', '7.B'],
    ['Østre', 'Vestre'],
  ])('keeps %s and %s apart', (a, b) => {
    expect(foldName(a)).not.toBe(foldName(b));
  });
});

describe('key tokens', () => {
  it.each([
    ['280001', '280001'],
    ['280001/7a', '280001_7a'],
  ])('keep a plain key %s readable', (key, token) => {
    expect(keyToken(key)).toBe(token);
  });

  it('differ where keys differ, and are safe ids of limited length', () => {
    const key = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[a-zA-Z0-9/_.-]{1,80}$/),
    );
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 20 }), (keys) => {
        const tokens = keys.map((one) => keyToken(one));
        expect(new Set(tokens).size).toBe(keys.length);
        for (const token of tokens) expect(token).toMatch(/^[a-z0-9][a-z0-9._-]{0,47}$/);
      }),
    );
    expect(keyToken('7A')).not.toBe(keyToken('7a'));
    expect(keyToken(keyToken('7A'))).not.toBe(keyToken('7A'));
  });
});
