import type { CivilSeal } from '../civil.ts';
import type { DateShape } from '../date.ts';
import { readDate } from '../date.ts';
import type { Outbox } from '../outbox.ts';
import type { PersonLog } from '../person-log.ts';
import type {
  AffiliationKind,
  AffiliationRole,
  Diagnostic,
  Entity,
  GroupKind,
  MembershipRole,
} from '../record.ts';
import type { Archive } from './archive.ts';
import type { Package, RosterFile } from './manifest.ts';
import type { Row } from './table.ts';
import { readRows } from './table.ts';

/** An affiliation as enrolments need it. */
export interface Held {
  readonly institution: string;
  readonly kind: AffiliationKind;
}

export interface User {
  /** Small number that stands for the person in sets of memberships. */
  readonly serial: number;
  readonly held: readonly Held[];
}

/** What a roles.csv row, a users.csv row or our own columns say of one affiliation. */
export interface AffiliationDraft extends Held {
  readonly roles: readonly AffiliationRole[];
  readonly grade: string | null;
  readonly localId: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly primary: boolean | null;
}

/** Somebody of whom only the enrolments can say what they are. */
export interface Undecided {
  readonly row: number;
  readonly institutions: readonly string[];
  readonly grade: string | null;
  readonly localId: string | null;
  readonly enrolments: {
    readonly group: string;
    readonly role: MembershipRole;
    readonly row: number;
  }[];
}

export interface Classroom {
  readonly institution: string;
  readonly kind: GroupKind;
  /** Serials of those who are already in it. */
  readonly members: Set<number>;
}

/** Everything that has to be remembered from file to file: keys, never names. */
export interface Run {
  readonly archive: Archive;
  readonly pack: Package;
  readonly outbox: Outbox;
  readonly people: PersonLog;
  readonly civil: CivilSeal;
  /** org sourcedId -> institution key */
  readonly institutions: Map<string, string>;
  readonly terms: Set<string>;
  readonly classes: Map<string, Classroom>;
  readonly drafts: Map<string, AffiliationDraft[]>;
  readonly users: Map<string, User>;
  readonly undecided: Map<string, Undecided>;
  /** Keys of people and groups whose row was rejected, or who are named but not listed. */
  readonly unreadable: Set<string>;
  readonly relations: {
    readonly guardian: string;
    readonly child: string;
    readonly kind: string | null;
    readonly custody: boolean | null;
    readonly row: number;
  }[];
  /** Serials of those who are in any class. */
  readonly joined: Set<number>;
  saysRelations: boolean;
}

/** Rows of one file of the package; none where the package is silent about it. */
export async function* rowsOf(
  run: Run,
  entity: RosterFile,
  required: readonly string[],
): AsyncGenerator<Row> {
  const file = run.archive.names.get(`${entity}.csv`);
  if (file === undefined || run.pack.completeness[entity] === 'silent') return;
  const { archive, outbox } = run;
  yield* readRows({ bytes: archive.open(file), file, entity, required, outbox });
}

export function fileOf(run: Run, entity: RosterFile): string {
  return run.archive.names.get(`${entity}.csv`) ?? `${entity}.csv`;
}

export function tell(
  code: string,
  severity: Diagnostic['severity'],
  p: { readonly file: string; readonly line: number | null; readonly field: string | null },
  message: string,
): Diagnostic {
  return { code, severity, ...p, message };
}

/**
 * What `status` says. In bulk it should be blank; a filled one is heeded all the same: inactive and
 * tobedeleted are not there. In delta only tobedeleted (and inactive of 1.0) removes.
 */
export function lifeOf(run: Run, entity: RosterFile, row: Row): 'here' | 'gone' {
  const status = row.get('status')?.toLowerCase() ?? '';
  if (status === '') return 'here';
  const gone = status === 'tobedeleted' || status === 'inactive';
  if (run.pack.completeness[entity] === 'delta') return gone ? 'gone' : 'here';
  const place = { file: fileOf(run, entity), line: row.number, field: 'status' };
  if (gone) {
    run.outbox.note(tell('bulk-row-inactive', 'info', place, 'Marked as gone; read as not there.'));
    return 'gone';
  }
  const blank = 'Status must be blank in a bulk file; active rows are read.';
  run.outbox.noteOnce(tell('bulk-with-status', 'info', place, blank));
  return 'here';
}

const shapes: Readonly<Partial<Record<DateShape, string>>> = {
  datetime: 'A date carries a time; the time is left out.',
  'day-first': 'Dates are written day first; understood.',
  'month-first': 'Dates are written month first; understood.',
  ambiguous: 'Dates could be day first or month first; read day first.',
};

export function dateOf(
  run: Run,
  p: { entity: RosterFile; row: Row; column: string },
): string | null {
  const { date, shape } = readDate(p.row.get(p.column));
  if (shape === 'iso') return date;
  const place = { file: fileOf(run, p.entity), line: p.row.number, field: p.column };
  if (shape === 'invalid') {
    run.outbox.note(tell('date-invalid', 'warning', place, 'Not a date; read as absent.'));
  } else {
    const severity = shape === 'ambiguous' ? 'warning' : 'info';
    run.outbox.noteOnce(tell(`date-${shape}`, severity, place, shapes[shape] ?? ''));
  }
  return date;
}

/** `true`, `TRUE`, `1`, `yes`; null where nothing is said. */
export function flagOf(
  run: Run,
  p: { entity: RosterFile; row: Row; column: string },
): boolean | null {
  const raw = p.row.get(p.column);
  if (raw === null) return null;
  if (raw === 'true' || raw === 'false') return raw === 'true';
  const text = raw.toLowerCase();
  const place = { file: fileOf(run, p.entity), line: p.row.number, field: p.column };
  if (/^(true|1|yes|y|false|0|no|n)$/.test(text)) {
    const message = 'Not written as true or false; understood.';
    run.outbox.noteOnce(tell('boolean-shape', 'info', place, message));
    return /^(true|1|yes|y)$/.test(text);
  }
  run.outbox.note(tell('boolean-unknown', 'warning', place, 'Neither true nor false; left out.'));
  return null;
}

/** Comma-separated lists in one cell, without empty items. */
export function listOf(raw: string | null): readonly string[] {
  return (raw ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/**
 * The institution an org id stands for. A delta may leave the orgs out; then only an id that is
 * itself an institution number can be placed.
 */
export function institutionOf(run: Run, org: string): string | null {
  const known = run.institutions.get(org);
  if (known !== undefined) return known;
  return run.pack.completeness.orgs !== 'full' && isInstitutionNumber(org) ? org : null;
}

export function isInstitutionNumber(text: string): boolean {
  return /^[A-Za-z0-9]{6}$/.test(text) && /\d/.test(text);
}

/** Tells once that something named elsewhere is not there, and keeps what hangs on it. */
export function keepUnlisted(
  run: Run,
  p: { readonly entity: Entity; readonly key: string; readonly diagnostic: Diagnostic },
): void {
  const mark = `${p.entity}\n${p.key}`;
  if (run.unreadable.has(mark)) return;
  run.unreadable.add(mark);
  run.outbox.reject({
    entity: p.entity,
    key: p.key,
    person: p.entity === 'person' ? p.key : null,
    group: p.entity === 'group' ? p.key : null,
    diagnostic: p.diagnostic,
  });
}
