import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { danish } from '../../provisioning/target/cause-danish.ts';
import { english } from '../../provisioning/target/cause-english.ts';
import { isKnownCause, sentenceFor } from '../../provisioning/target/cause-sentences.ts';

const root = fileURLToPath(new URL('../../provisioning/', import.meta.url));

/** Where a connector or the ledger writes a code: as a property, as the first argument, in a table of codes, in a union. */
const places: readonly RegExp[] = [
  /\b(?:code|reason):\s*'([a-z][a-z0-9-]*)'/g,
  /\b(?:retry|reject|rejected|busy|unreachable)\(\s*'([a-z][a-z0-9-]*)'/g,
  /\b(?:retry|reject|rejected)\(\s*[^'()]*\? '([a-z0-9-]+)'/g,
  /\b(?:retry|reject|rejected)\(\s*[^'()]*\? '[a-z0-9-]+' : '([a-z0-9-]+)'/g,
  /\bcode = [^;]*\? '([a-z0-9-]+)'/g,
  /\bcode = [^;]*: '([a-z0-9-]+)';/g,
];
/** Tables from a server's code to ours. */
const tables = /(?:rejections|missing|siteErrors|lateErrors|codeOfField)[^=]*= \{([^}]*)\}/g;
/** The union of codes that become outcomes as they are. */
const unions = /export type NextcloudErrorCode =([^;]*);/g;

/** What stands in such a place and never is the code of a row. */
const internal: ReadonlySet<string> = new Set([
  // The word for the kind of outcome.
  'retry',
]);

function codesIn(text: string): readonly string[] {
  const direct = places.flatMap((place) => [...text.matchAll(place)].map(([, code]) => code ?? ''));
  const listed = [...text.matchAll(tables), ...text.matchAll(unions)].flatMap(([, part = '']) =>
    [...part.matchAll(/(?::|\|)\s*'([a-z][a-z0-9-]*)'/g)].map(([, code]) => code ?? ''),
  );
  return [...direct, ...listed];
}

const used = new Map<string, string>();
for (const path of globSync(['target/{keycloak,nextcloud,moodle}/*.ts', 'ledger/settle.ts'], {
  cwd: root,
})) {
  for (const code of codesIn(readFileSync(`${root}${path}`, 'utf8'))) used.set(code, path);
}

describe('the sentences', () => {
  it('are there for every code that a connector uses', () => {
    // So few would mean that the search itself is broken.
    expect(used.size).toBeGreaterThan(80);
    for (const known of ['username-taken', 'no-right', 'not-admin', 'welcome-mail-failed']) {
      expect([...used.keys()]).toContain(known);
    }
    const without = [...used].filter(([code]) => !internal.has(code) && !isKnownCause(code));
    expect(without).toEqual([]);
  });

  it('say in both languages what happened and what to do', () => {
    expect(Object.keys(danish).sort()).toEqual(Object.keys(english).sort());
    for (const code of Object.keys(english)) {
      const { da, en } = sentenceFor(code);
      for (const text of [da, en]) {
        expect(text, code).toMatch(/^[A-ZÆØÅ].{20,}\.$/);
      }
      expect(da, code).not.toBe(en);
    }
  });

  it('are there for codes that nobody knows yet', () => {
    fc.assert(
      fc.property(fc.string(), (code) => {
        const { da, en } = sentenceFor(code);
        expect(da.length).toBeGreaterThan(20);
        expect(en.length).toBeGreaterThan(20);
      }),
    );
    expect(sentenceFor('toString').en).toBe(sentenceFor('made-up').en);
    expect(sentenceFor('moodle-strangecode').en).toContain('Moodle');
  });
});
