import fc from 'fast-check';
import { expect, test } from 'vitest';
import { judgeVersion } from '../../provisioning/target/keycloak/check.ts';
import { groupNameOf } from '../../provisioning/target/keycloak/groups.ts';
import { mergeAttributes } from '../../provisioning/target/keycloak/mark.ts';
import { readPages } from '../../provisioning/target/keycloak/observe.ts';
import { group } from './people.ts';

const name = (n: number) => ({ id: String(n).padStart(4, '0') });

test('whatever stands all the time is read once, while others come and go between the pages', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 300 }),
      fc.array(fc.record({ at: fc.nat(300), gone: fc.boolean() }), { maxLength: 40 }),
      async (count, changes) => {
        const stable = Array.from({ length: count }, (_, n) => name(n * 2));
        let list = [...stable];
        // Strangers between the stable ones: there at first, or coming while we read.
        const strangers = changes.map((change, n) => ({
          ...change,
          item: { id: `${name(change.at).id}-${n}` },
        }));
        const sort = () => list.sort((a, b) => (a.id < b.id ? -1 : 1));
        list.push(...strangers.filter((one) => one.gone).map((one) => one.item));
        sort();
        let calls = 0;
        const seen: string[] = [];
        const pages = readPages({
          size: 20,
          fetch: async (first, max) => {
            const page = list.slice(first, first + max);
            const change = strangers[calls];
            calls += 1;
            if (change?.gone === true) list = list.filter((item) => item.id !== change.item.id);
            else if (change !== undefined) list.push(change.item);
            sort();
            return page;
          },
        });
        for await (const item of pages) seen.push(item.id);

        expect(new Set(seen).size).toBe(seen.length);
        expect(seen).toEqual(expect.arrayContaining(stable.map((item) => item.id)));
      },
    ),
    { numRuns: 200 },
  );
});

test('a shift wider than the overlap is noticed and read again', async () => {
  let list = Array.from({ length: 100 }, (_, n) => name(n));
  let calls = 0;
  const seen: string[] = [];
  const pages = readPages({
    size: 20,
    fetch: async (first, max) => {
      const page = list.slice(first, first + max);
      calls += 1;
      if (calls === 2) list = list.slice(30);
      return page;
    },
  });
  for await (const item of pages) seen.push(item.id);

  expect(new Set(seen).size).toBe(seen.length);
  for (const item of list) expect(seen).toContain(item.id);
});

test.each([
  ['26.8.1', true],
  ['26.9.0', true],
  ['27.0.0', true],
  ['26.7.5', true],
  ['26.7.1', false],
  ['26.7.2', false],
  ['26.7.4', false],
  ['26.8.0', false],
  ['26.4.17', false],
  ['23.0.7', false],
  ['rubbish', false],
])('version %s is fit: %s', (version, ok) => {
  const finding = judgeVersion(version);

  expect(finding.ok).toBe(ok);
  expect(finding.message).toContain(version);
});

test('a closed group stands aside for next year, always under the same name', () => {
  const open = group({ name: '9A' });
  const closed = groupNameOf({ body: { ...open, active: false }, key: 'group:1/9a' });

  expect(groupNameOf({ body: open, key: 'group:1/9a' })).toBe('9A');
  expect(closed).not.toBe('9A');
  expect(groupNameOf({ body: { ...open, active: false }, key: 'group:1/9a' })).toBe(closed);
  expect(groupNameOf({ body: { ...open, active: false }, key: 'group:1/9b' })).not.toBe(closed);
});

test('attributes: ours replace, dropped ones go, foreign ones stay', () => {
  expect(
    mergeAttributes({
      current: { roles: ['pupil'], locker: ['12'], old: ['x'], kinds: ['staff'] },
      desired: { roles: ['teacher'], empty: [] },
      wrote: [{ old: ['x'] }],
      own: ['roles', 'kinds'],
    }),
  ).toEqual({ roles: ['teacher'], locker: ['12'] });
});
