import type { Outbox } from '../outbox.ts';
import type { Completeness, Diagnostic } from '../record.ts';
import { FeedError } from '../record.ts';
import type { Archive } from './archive.ts';
import { readRows } from './table.ts';

/** The files that are read; gradebook, resources, demographics and profiles are not. */
export const rosterFiles = [
  'academicsessions',
  'orgs',
  'classes',
  'roles',
  'users',
  'enrollments',
] as const;
export type RosterFile = (typeof rosterFiles)[number];

export interface Package {
  readonly version: '1.1' | '1.2';
  readonly completeness: Readonly<Record<RosterFile, Completeness>>;
}

/** Without these a bulk package says nothing that could be acted on. */
const indispensable: readonly RosterFile[] = ['orgs', 'users', 'classes', 'enrollments'];

const words: ReadonlyMap<string, Completeness> = new Map([
  ['bulk', 'full'],
  ['delta', 'delta'],
  ['absent', 'silent'],
]);

/**
 * Reads manifest.csv as it is written in practice: any case, `fiel.` for `file.`, blank values.
 * Absent is silence, never an empty list. Without a manifest, what lies there counts as bulk; what a
 * manifest passes over counts as delta.
 *
 * @throws FeedError feed-file-missing when an announced file is not there, feed-unknown-format when
 * nothing of a roster is there
 */
export async function readManifest(p: {
  readonly archive: Archive;
  readonly outbox: Outbox;
}): Promise<Package> {
  const { archive, outbox } = p;
  const stated = await readProperties(p);
  const present = (file: RosterFile): boolean => archive.names.has(`${file}.csv`);
  if (stated === null) {
    if (!present('users') || !present('enrollments')) throw notOneRoster();
    outbox.note(
      tell('manifest-missing', 'No manifest.csv: the files that are there are read as bulk.'),
    );
  }
  const completeness = Object.fromEntries(
    rosterFiles.map((file) => [
      file,
      completenessOf({
        file,
        stated: stated === null ? null : stated.get(`file.${file}`),
        present: present(file),
        outbox,
      }),
    ]),
  ) as Record<RosterFile, Completeness>;
  if (stated === null) {
    for (const file of indispensable) if (!present(file)) throw missing(file);
  }
  const version = stated?.get('oneroster.version')?.startsWith('1.2') || present('roles');
  return { version: version ? '1.2' : '1.1', completeness };
}

async function readProperties(p: {
  readonly archive: Archive;
  readonly outbox: Outbox;
}): Promise<ReadonlyMap<string, string> | null> {
  const file = p.archive.names.get('manifest.csv');
  if (file === undefined) return null;
  const stated = new Map<string, string>();
  for await (const row of readRows({
    bytes: p.archive.open(file),
    file,
    entity: 'manifest',
    required: ['propertyname', 'value'],
    outbox: p.outbox,
  })) {
    const written = row.get('propertyname')?.toLowerCase();
    if (written === undefined) continue;
    const property = written.replace(/^fiel\./, 'file.');
    if (property !== written) {
      p.outbox.noteOnce(tell('manifest-typo', 'A property is misspelt; it was understood.'));
    }
    stated.set(property, row.get('value')?.toLowerCase() ?? '');
  }
  return stated;
}

function completenessOf(p: {
  readonly file: RosterFile;
  /** The manifest's word; undefined where it has none, null where there is no manifest. */
  readonly stated: string | undefined | null;
  readonly present: boolean;
  readonly outbox: Outbox;
}): Completeness {
  const { file, stated, present, outbox } = p;
  const said = words.get(stated ?? '');
  if (said === 'full' || said === 'delta') {
    if (present) return said;
    if (file === 'academicsessions' || (file === 'roles' && stated === '')) {
      outbox.note(tell('file-missing', `${file}.csv is announced but missing; read without it.`));
      return 'silent';
    }
    throw missing(file);
  }
  if (said === 'silent') {
    if (present) {
      const message = `${file}.csv is there but declared absent; it is not read.`;
      outbox.note(tell('file-declared-absent', message));
    }
    return 'silent';
  }
  if (!present) return 'silent';
  if (p.stated === null) return 'full';
  // The manifest may have been cut, or mean a delta: nobody leaves on a word that was not said.
  outbox.note(
    tell('manifest-value-odd', `The manifest does not say bulk of ${file}: nothing leaves by it.`),
  );
  return 'delta';
}

function tell(code: string, message: string): Diagnostic {
  return { code, severity: 'warning', file: 'manifest.csv', line: null, field: null, message };
}

function missing(file: RosterFile): FeedError {
  return new FeedError({
    code: 'feed-file-missing',
    message: `${file}.csv is announced but not in the package. Export the package again.`,
    file: `${file}.csv`,
  });
}

function notOneRoster(): FeedError {
  return new FeedError({
    code: 'feed-unknown-format',
    message:
      'Neither a manifest.csv nor users.csv and enrollments.csv: this is no OneRoster package.',
  });
}
