import type { CivilSeal } from '../civil.ts';
import { civilUnused } from '../civil.ts';
import { createOutbox } from '../outbox.ts';
import { createPersonLog } from '../person-log.ts';
import type { Completeness, FeedItem } from '../record.ts';
import { FeedError } from '../record.ts';
import { readRoleRow } from './affiliation.ts';
import type { Archive } from './archive.ts';
import { openArchive } from './archive.ts';
import { readEnrolment, settleUndecided } from './enrolment.ts';
import type { RosterFile } from './manifest.ts';
import { readManifest } from './manifest.ts';
import type { Run } from './run.ts';
import { fileOf, rowsOf, tell } from './run.ts';
import { readClass, readOrgs, readTerms } from './structure.ts';
import type { Row } from './table.ts';
import { readUser, settleDrafts, settleRelations } from './user.ts';

/**
 * Reads a OneRoster 1.1 or 1.2 CSV package, a folder or a zip, bulk or delta. What is kept from file
 * to file are keys: of 600,000 people and their memberships some 200 MB.
 *
 * A bare CSV file that was cut exactly at the end of a row cannot be told from a shorter one; what
 * points to the missing rows is told and kept. A zip is always found out.
 *
 * @throws FeedError when the package as a whole cannot be trusted
 */
export async function* readOneRoster(p: {
  readonly path: string;
  readonly civil: CivilSeal;
}): AsyncGenerator<FeedItem> {
  await using archive = await openArchive(p.path);
  const run = await openRun({ archive, civil: p.civil });
  const { outbox, pack } = run;
  const schoolYear = await readTerms(run);
  yield { type: 'snapshot', format: `oneroster-${pack.version}`, takenAt: null, schoolYear };
  refuseEmpty(run, 'orgs', await readOrgs(run));
  yield* outbox.take();
  yield* readAll(run, 'classes', ['sourcedid', 'title'], readClass);
  yield* readAll(run, 'roles', ['usersourcedid', 'role'], readRoleRow);
  const userColumns = ['sourcedid', 'givenname', 'familyname'];
  if (pack.completeness.roles === 'silent') userColumns.push('orgsourcedids');
  yield* readAll(run, 'users', userColumns, readUser);
  settleDrafts(run);
  yield* readAll(run, 'enrollments', ['usersourcedid', 'classsourcedid'], readEnrolment);
  settleUndecided(run);
  settleRelations(run);
  noteUnjoined(run);
  yield* outbox.take();
  tellCoverage(run);
  if (p.civil.unused) outbox.note(civilUnused);
  outbox.summarise();
  yield* outbox.take();
}

async function openRun(p: { readonly archive: Archive; readonly civil: CivilSeal }): Promise<Run> {
  const { archive, civil } = p;
  const outbox = createOutbox();
  return {
    archive,
    pack: await readManifest({ archive, outbox }),
    outbox,
    people: createPersonLog(outbox),
    civil,
    institutions: new Map(),
    terms: new Set(),
    classes: new Map(),
    drafts: new Map(),
    users: new Map(),
    undecided: new Map(),
    unreadable: new Set(),
    relations: [],
    joined: new Set(),
    saysRelations: false,
  };
}

/** An empty list is always a failed export, never the truth. */
async function* readAll(
  run: Run,
  entity: RosterFile,
  required: readonly string[],
  read: (run: Run, row: Row) => boolean,
): AsyncGenerator<FeedItem> {
  let live = 0;
  for await (const row of rowsOf(run, entity, required)) {
    if (read(run, row)) live += 1;
    yield* run.outbox.take();
  }
  refuseEmpty(run, entity, live);
}

function refuseEmpty(run: Run, entity: RosterFile, live: number): void {
  if (live > 0 || run.pack.completeness[entity] !== 'full') return;
  const file = fileOf(run, entity);
  throw new FeedError({
    code: 'feed-empty',
    message: `${file} is bulk and lists nothing that is there. Export the package again.`,
    file,
  });
}

/** Pupils without any class are how a cut enrolment file or a failed export shows. */
function noteUnjoined(run: Run): void {
  if (run.pack.completeness.enrollments !== 'full') return;
  let count = 0;
  for (const { held, serial } of run.users.values()) {
    if (held.some(({ kind }) => kind === 'pupil') && !run.joined.has(serial)) count += 1;
  }
  if (count === 0) return;
  const place = { file: fileOf(run, 'enrollments'), line: null, field: null };
  const message = `${count} pupils are in no class. Was the enrolment file cut?`;
  run.outbox.note(tell('pupils-without-class', 'warning', place, message));
}

function tellCoverage(run: Run): void {
  const { users, roles, classes, enrollments } = run.pack.completeness;
  const affiliation = roles === 'silent' ? users : weaker(users, roles);
  for (const institution of new Set(run.institutions.values())) {
    run.outbox.send({
      type: 'coverage',
      institution,
      affiliation,
      group: classes,
      membership: enrollments,
      relation: run.saysRelations ? users : 'silent',
    });
  }
}

function weaker(a: Completeness, b: Completeness): Completeness {
  const order: readonly Completeness[] = ['silent', 'delta', 'full'];
  return order[Math.min(order.indexOf(a), order.indexOf(b))] ?? 'silent';
}
