/**
 * Who may import whom. Inside provisioning/ a folder sees itself, the folders before it in FLOW and
 * store/; the files directly in provisioning/ tie the folders together and see all of them.
 * provisioning/ never imports services/, and nothing but tests imports tests.
 */
import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SourceFile {
  /** Relative to the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}

const FLOW = ['trace', 'feed', 'roster', 'policy', 'plan', 'ledger', 'target', 'explain'];
const IMPORT = /(?:\bfrom\s+|\bimport\s*\(?\s*|\bnew URL\(\s*)['"](\.[^'"]*)['"]/g;

/** One line per import that goes against the direction; empty when all is well. */
export function findViolations(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) =>
    [...file.text.matchAll(IMPORT)]
      .map(([, specifier = '']) => posix.join(posix.dirname(file.path), specifier))
      .filter((imported) => !mayImport({ from: file.path, to: imported }))
      .map((imported) => `${file.path} must not import ${imported}`),
  );
}

function mayImport(p: { readonly from: string; readonly to: string }): boolean {
  const [area, folder] = p.from.split('/');
  const [importedArea, importedFolder] = p.to.split('/');
  if (area === 'tests') return true;
  if (importedArea === 'tests') return false;
  if (area !== 'provisioning') return true;
  if (importedArea !== 'provisioning') return false;
  const isFolder = p.from.split('/').length > 2;
  if (!isFolder || folder === importedFolder || importedFolder === 'store') return true;
  const at = FLOW.indexOf(folder ?? '');
  const importedAt = FLOW.indexOf(importedFolder ?? '');
  return importedAt !== -1 && importedAt < at;
}

export function readSources(): readonly SourceFile[] {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  return globSync('{provisioning,services,deploy}/**/*.{ts,tsx}', {
    cwd: root,
    exclude: (name) => name === 'node_modules' || name === 'dist',
  }).map((path) => ({ path, text: readFileSync(`${root}/${path}`, 'utf8') }));
}

if (import.meta.main) {
  const sources = readSources();
  const violations = findViolations(sources);
  for (const violation of violations) process.stderr.write(`${violation}\n`);
  process.stdout.write(`direction: ${sources.length} files, ${violations.length} against it\n`);
  process.exitCode = violations.length === 0 && sources.length > 0 ? 0 : 1;
}
