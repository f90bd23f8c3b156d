import { globSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const OUTSIDE = new Set(['.git', '.node', '.skolebus', 'coverage', 'dist', 'node_modules']);
const CODE = new Set(['.ts', '.tsx', '.cjs', '.mjs', '.js']);
const BINARY = new Set(['.gz', '.ico', '.jar', '.jpg', '.pdf', '.png', '.woff2', '.zip']);

const paths = globSync('**/*', {
  cwd: ROOT,
  withFileTypes: true,
  exclude: (entry) => OUTSIDE.has(entry.name),
})
  .filter((entry) => entry.isFile() && !BINARY.has(extname(entry.name)))
  .map((entry) => `${entry.parentPath}/${entry.name}`.slice(ROOT.length));
const files = paths.map((path) => ({ path, text: readFileSync(`${ROOT}/${path}`, 'utf8') }));
const code = files.filter((file) => CODE.has(extname(file.path)));

/** Written in two halves, so that this file does not find itself. */
const FORBIDDEN_IN_CODE: readonly (readonly [string, RegExp])[] = [
  ['a mocked module', new RegExp(`\\bvi\\.${'mock'}\\(`)],
  ['a focused test', new RegExp(`\\b(?:it|test|describe)\\.${'only'}\\b`)],
  [
    'a switched-off test',
    new RegExp(`\\b(?:it|test|describe)\\.${'skip'}\\(|\\b(?:it|test)\\.${'todo'}\\b`),
  ],
  ['unfinished work', new RegExp(`\\b(?:${'TO'}DO|${'FIX'}ME)\\b`)],
];
const FORBIDDEN_ANYWHERE: readonly (readonly [string, RegExp])[] = [
  [
    'a package registry',
    new RegExp(`\\bregistry\\.${'npm'}|\\brepo1?\\.${'maven'}\\.|\\bpypi\\.${'org'}`),
  ],
  [
    "a path of someone's machine",
    new RegExp(`(?<![\\w.])/(?:${'work'}|${'root'}|${'Users'})/[a-z.]`),
  ],
];

const SAMPLES: Readonly<Record<string, string>> = {
  'a mocked module': `vi.${'mock'}('./plan.ts')`,
  'a focused test': `describe.${'only'}('x', () => {})`,
  'a switched-off test': `it.${'skip'}('x', () => {})`,
  'unfinished work': `// ${'TO'}DO: later`,
  'a package registry': `https://registry.${'npm'}js.org/pg`,
  "a path of someone's machine": `read /${'root'}/notes`,
};

describe('the tree', () => {
  it('is looked at as a whole', () => {
    expect(paths).toEqual(expect.arrayContaining(['package.json', 'tests/repo/tree.test.ts']));
    expect(code.length).toBeGreaterThan(10);
  });

  it('has no code file over 500 lines', () => {
    const long = code.filter((file) => file.text.trimEnd().split('\n').length > 500);

    expect(long.map((file) => file.path)).toEqual([]);
  });

  it.each(FORBIDDEN_IN_CODE)('has no code with %s', (_name, pattern) => {
    expect(code.filter((file) => pattern.test(file.text)).map((file) => file.path)).toEqual([]);
  });

  it.each(FORBIDDEN_ANYWHERE)('has no file that names %s', (_name, pattern) => {
    expect(files.filter((file) => pattern.test(file.text)).map((file) => file.path)).toEqual([]);
  });

  it.each([
    ...FORBIDDEN_IN_CODE.map(([name, pattern]) => [name, pattern, SAMPLES[name]] as const),
    ...FORBIDDEN_ANYWHERE.map(([name, pattern]) => [name, pattern, SAMPLES[name]] as const),
  ])('would find %s', (_name, pattern, sample) => {
    expect(sample).toMatch(pattern);
  });

  it('locks packages by content, not by where they were fetched', () => {
    const lock: { packages: Record<string, { resolved?: string; integrity?: string }> } =
      JSON.parse(readFileSync(`${ROOT}/package-lock.json`, 'utf8'));
    const packages = Object.entries(lock.packages).filter(([path]) => path !== '');

    expect(packages.length).toBeGreaterThan(100);
    expect(packages.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
    expect(packages.filter(([, entry]) => entry.integrity === undefined)).toEqual([]);
  });
});
