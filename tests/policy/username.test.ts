import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../provisioning/policy/parse.ts';
import { usernameStrategies } from '../../provisioning/policy/schema.ts';
import { transliterate } from '../../provisioning/policy/transliterate.ts';
import {
  candidateUsernames,
  isSafeUsername,
  type NamedPerson,
} from '../../provisioning/policy/username.ts';

const safe = /^[a-z0-9][a-z0-9._-]{2,63}$/;

function policyWith(usernames: Record<string, string | number>) {
  const settings = { prefix: 'sk', ...usernames };
  return parsePolicy({ text: JSON.stringify({ version: 1, usernames: settings }), file: 'p' });
}

/** The same numbers every time (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function person(p: Partial<NamedPerson>): NamedPerson {
  return { uniId: null, given: 'Amalie', family: 'Hansen', protected: false, ...p };
}

function first(candidates: Iterable<string>, count: number): readonly string[] {
  const taken: string[] = [];
  for (const candidate of candidates) {
    taken.push(candidate);
    if (taken.length === count) break;
  }
  return taken;
}

function take(p: {
  usernames: Record<string, string | number>;
  person: NamedPerson;
  count: number;
}): readonly string[] {
  const candidates = candidateUsernames({
    policy: policyWith(p.usernames),
    person: p.person,
    random: seeded(1),
  });
  return first(candidates, p.count);
}

describe('transliteration', () => {
  it.each([
    ['Søren', 'soeren'],
    ['Ærø', 'aeroe'],
    ['Åge', 'aage'],
    ['Ågård', 'aagaard'],
    ['A\u030ag\u0061\u030ard', 'aagaard'],
    ['ÆØÅ', 'aeoeaa'],
    ['Bj\u01ffrn', 'bjoern'],
    ['André', 'andre'],
    ['Müller', 'muller'],
    ['Björk', 'bjork'],
    ['Zoë', 'zoe'],
    ['Aïsha', 'aisha'],
    ['Guðrún', 'gudrun'],
    ['Þór', 'thor'],
    ['Weiß', 'weiss'],
    ['GROẞ', 'gross'],
    ['Łukasz', 'lukasz'],
    ['Đorđe', 'dorde'],
    ['Yıldız', 'yildiz'],
    ['İpek', 'ipek'],
    ['Ağaoğlu Şahin', 'agaoglu sahin'],
    ["O'Neill", "o'neill"],
    ['Anne-Marie', 'anne-marie'],
    ['محمد', ''],
  ])('%s becomes %s', (name, expected) => {
    expect(transliterate(name)).toBe(expected);
  });

  it('gives one result for composed and decomposed text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const result = transliterate(text);
        expect(transliterate(text.normalize('NFD'))).toBe(transliterate(text.normalize('NFC')));
        expect(result).toMatch(/^[\x20-\x7e]*$/);
        expect(result).toBe(result.toLowerCase());
      }),
    );
  });
});

describe('the eight strategies', () => {
  it.each([
    [
      'uni-id-or-name-sequential',
      person({ uniId: 'AMAL276Q' }),
      ['amal276q', 'amal0000', 'amal0001'],
    ],
    [
      'uni-id-or-name-sequential',
      person({ uniId: '1000013b36' }),
      ['amal0000', 'amal0001', 'amal0002'],
    ],
    ['name-sequential', person({ uniId: 'amal276q' }), ['amal0000', 'amal0001', 'amal0002']],
    ['name-sequential', person({ given: 'Bo' }), ['boxx0000', 'boxx0001', 'boxx0002']],
    ['name-sequential', person({ given: 'Åse' }), ['aase0000', 'aase0001', 'aase0002']],
    ['name-sequential', person({ given: null }), ['hans0000', 'hans0001', 'hans0002']],
    [
      'name-sequential',
      person({ given: 'محمد', family: null }),
      ['xxxx0000', 'xxxx0001', 'xxxx0002'],
    ],
    ['prefix-name-serial', person({}), ['skama222', 'skama223', 'skama224']],
    ['prefix-serial-name', person({}), ['sk222ama', 'sk223ama', 'sk224ama']],
  ])('%s counts', (strategy, someone, expected) => {
    expect(take({ usernames: { strategy }, person: someone, count: 3 })).toEqual(expected);
  });

  it.each([
    ['uni-id-or-name-random', /^amal\d{4}$/],
    ['digits-name', /^[2-9]{3}ama$/],
    ['random', /^[bcdfghjkmnpqrstvwxz]{4}[2-9]{4}$/],
  ])('%s draws', (strategy, pattern) => {
    for (const name of take({ usernames: { strategy }, person: person({}), count: 50 })) {
      expect(name).toMatch(pattern);
    }
  });

  it('uni-id takes old and new UNI-IDs as they are, then falls back', () => {
    const starting = (uniId: string | null) =>
      take({ usernames: { fallback: 'name-sequential' }, person: person({ uniId }), count: 2 });

    expect(starting('1000013b36')).toEqual(['1000013b36', 'amal0000']);
    expect(starting('Henr276Q')).toEqual(['henr276q', 'amal0000']);
    expect(starting(null)).toEqual(['amal0000', 'amal0001']);
    expect(starting('  ')).toEqual(['amal0000', 'amal0001']);
    expect(starting('søren')).toEqual(['amal0000', 'amal0001']);
  });

  it.each(usernameStrategies)('%s serves 3,000 people of one name', (strategy) => {
    const names = take({ usernames: { strategy }, person: person({}), count: 3000 });

    expect(new Set(names).size).toBe(3000);
    for (const name of names) expect(name).toMatch(safe);
  });

  it('goes on after 9999 with a fifth digit', () => {
    const names = take({
      usernames: { strategy: 'name-sequential' },
      person: person({}),
      count: 10_002,
    });

    expect(names.slice(9_999)).toEqual(['amal9999', 'amal00000', 'amal00001']);
  });

  it('survives a random source that always says the same', () => {
    const names = candidateUsernames({
      policy: policyWith({ strategy: 'random' }),
      person: person({}),
      random: () => 0.999_999_999_999,
    });

    expect(first(names, 3)).toEqual(['zzzz9999', 'zzzz99999', 'zzzz999999']);
  });

  it('follows letters and digits', () => {
    const usernames = { strategy: 'name-sequential', letters: 2, digits: 2 };

    expect(take({ usernames, person: person({}), count: 1 })).toEqual(['am00']);
  });

  it('leaves a strategy that can only spell reserved names', () => {
    const usernames = { strategy: 'prefix-name-serial', prefix: 'skole' };

    const [name] = take({ usernames, person: person({ given: 'Bus' }), count: 1 });

    expect(name).toMatch(/^[bcdfghjkmnpqrstvwxz]{4}[2-9]{4}$/);
  });
});

describe('protected people', () => {
  const marker = person({ given: 'Zebulon', family: 'Quist', protected: true });

  it.each(usernameStrategies)('get nothing made of a name under %s', (strategy) => {
    const usernames = strategy === 'uni-id' ? { strategy } : { strategy, fallback: strategy };
    const names = take({ usernames, person: { ...marker, uniId: 'zebu276q' }, count: 500 });

    expect(names.filter((name) => /zeb|qui/.test(name))).toEqual([]);
  });

  it('keep a drawn UNI-ID, unless policy wants random ones', () => {
    const uniId = '1000013b36';
    const starting = (strategyProtected: string) =>
      take({ usernames: { strategyProtected }, person: { ...marker, uniId }, count: 1 });

    expect(starting('uni-id')).toEqual([uniId]);
    expect(starting('random')).not.toEqual([uniId]);
  });
});

describe('safe usernames', () => {
  it.each([
    'admin',
    'root',
    'guest',
    'skolebus',
    'skolebus-worker',
    'service-account-x',
    'appdata_oc1',
    'nextcloud.log',
    'files_external',
    'ab',
    '...',
    '-abc',
    'Søren',
    'a b',
    '0101011234',
    '010101-1234',
    '610101abc4',
    'a'.repeat(65),
  ])('%s is not one', (name) => {
    expect(isSafeUsername(name)).toBe(false);
  });

  it.each(['amal0000', '1000013b36', 'a.b', 'a'.repeat(64), '3101991234x'])('%s is one', (name) => {
    expect(isSafeUsername(name)).toBe(true);
  });

  it('come out of the wildest names', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...usernameStrategies),
        fc.record({
          uniId: fc.option(fc.string({ unit: 'binary' })),
          given: fc.option(fc.string({ unit: 'binary' })),
          family: fc.option(fc.string({ unit: 'binary' })),
          protected: fc.boolean(),
        }),
        fc.integer(),
        (strategy, someone, seed) => {
          const policy = policyWith({ strategy: strategy });
          const names = candidateUsernames({ policy, person: someone, random: seeded(seed) });
          for (const name of first(names, 5)) expect(isSafeUsername(name)).toBe(true);
        },
      ),
    );
  });
});
