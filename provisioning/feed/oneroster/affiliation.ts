import { readGrade } from '../grade.ts';
import { kindOfRole } from '../membership-role.ts';
import { affiliationKey } from '../record.ts';
import { looksCivil, ownCopy } from '../text.ts';
import type { AffiliationDraft, Run, User } from './run.ts';
import { dateOf, fileOf, flagOf, institutionOf, lifeOf, listOf, tell } from './run.ts';
import type { Row } from './table.ts';
import type { RoleReading } from './vocabulary.ts';
import { readNeutralRole, readRole } from './vocabulary.ts';

/**
 * One row of roles.csv (1.2): gathered per person, told with the person. Skolebus's own columns:
 * `metadata.roleDetail` (a neutral role), `metadata.grade`, `metadata.localPersonId`.
 *
 * @returns whether the row speaks of something that is there
 */
export function readRoleRow(run: Run, row: Row): boolean {
  const { outbox } = run;
  const file = fileOf(run, 'roles');
  const at = (field: string) => ({ file, line: row.number, field });
  const person = row.get('usersourcedid');
  const org = row.get('orgsourcedid');
  const institution = org === null ? null : institutionOf(run, org);
  const role = row.get('role');
  const reading = role === null ? null : sayRole(run, role, at('role'));
  if (person === null || institution === null || reading === null) {
    const field = person === null ? 'userSourcedId' : reading === null ? 'role' : 'orgSourcedId';
    const code = institution === null && org !== null ? 'org-dangling' : 'role-row-incomplete';
    const message = 'A role without person, role or listed org; an earlier version stays.';
    const diagnostic = tell(code, 'error', at(field), message);
    outbox.reject({ entity: 'affiliation', institution, person, diagnostic });
    return true;
  }
  const detail = readNeutralRole(row.get('metadata.roledetail')) ?? reading.role;
  const kind = kindOfRole(detail);
  if (lifeOf(run, 'roles', row) === 'gone') {
    if (run.pack.completeness.roles === 'delta') {
      const key = affiliationKey({ institution, person, kind });
      outbox.send({ type: 'removed', entity: 'affiliation', key });
    }
    return false;
  }
  const type = row.get('roletype')?.toLowerCase();
  const drafts = run.drafts.get(person) ?? [];
  run.drafts.set(drafts.length === 0 ? ownCopy(person) : person, drafts);
  drafts.push({
    institution,
    kind,
    roles: [detail],
    grade: kind === 'pupil' ? readGrade(row.get('metadata.grade') ?? row.get('grades')) : null,
    localId: row.get('metadata.localpersonid'),
    from: dateOf(run, { entity: 'roles', row, column: 'begindate' }),
    to: dateOf(run, { entity: 'roles', row, column: 'enddate' }),
    primary:
      type === undefined
        ? flagOf(run, { entity: 'roles', row, column: 'primary' })
        : type === 'primary',
  });
  return true;
}

/**
 * The affiliations of a users.csv row of 1.1: the one role in each of its orgs. `metadata.affiliations`,
 * which only Skolebus writes, says it fully: `org|role+role|grade|localId`, comma separated.
 */
export function draftsOfUser(
  run: Run,
  p: { readonly row: Row; readonly grade: string | null; readonly localId: string | null },
): readonly AffiliationDraft[] {
  const { row, grade, localId } = p;
  const open = { from: null, to: null, primary: null };
  const own = listOf(row.get('metadata.affiliations')).flatMap((entry) => {
    const [org = '', words = '', level = '', local = ''] = entry.split('|');
    const institution = institutionOf(run, org);
    const roles = words.split('+').flatMap((word) => readNeutralRole(word) ?? []);
    const [first] = roles;
    if (institution === null || first === undefined) return [];
    const kind = kindOfRole(first);
    return [{ institution, kind, roles, grade: readGrade(level), localId: local || null, ...open }];
  });
  if (own.length > 0) return own;
  const role = row.get('role');
  if (role === null) return [];
  const place = { file: fileOf(run, 'users'), line: row.number, field: 'role' };
  const reading = sayRole(run, role, place);
  return institutionsOf(run, row).map((institution) => ({
    institution,
    kind: reading.kind,
    roles: [reading.role],
    grade: reading.kind === 'pupil' ? grade : null,
    localId,
    ...open,
  }));
}

/** The listed ones among the orgs of a users.csv row; the others are told and keep the person. */
export function institutionsOf(run: Run, row: Row): readonly string[] {
  const file = fileOf(run, 'users');
  return [...new Set(listOf(row.get('orgsourcedids')))].flatMap((org) => {
    const institution = institutionOf(run, org);
    if (institution !== null) return [institution];
    const place = { file, line: row.number, field: 'orgSourcedIds' };
    const message = 'A person belongs to an org that is not listed; an earlier version stays.';
    const diagnostic = tell('org-dangling', 'error', place, message);
    run.outbox.reject({ entity: 'affiliation', person: row.get('sourcedid'), diagnostic });
    return [];
  });
}

function sayRole(
  run: Run,
  role: string,
  place: { readonly file: string; readonly line: number; readonly field: string },
): RoleReading {
  const reading = readRole(role);
  if (reading.origin === 'seen') {
    run.outbox.noteOnce(
      tell('role-unlisted', 'info', place, 'Roles outside the list; understood.'),
    );
  } else if (reading.origin === 'unknown') {
    const message = 'A role that means nothing here; the person is external and gets no rights.';
    run.outbox.note(tell('role-unknown', 'warning', place, message));
  }
  return reading;
}

/** Tells the affiliations of a person, those of one kind at one institution as one. */
export function tellAffiliations(
  run: Run,
  p: { readonly person: string; readonly drafts: readonly AffiliationDraft[] },
): User {
  const merged = new Map<string, AffiliationDraft>();
  for (const draft of p.drafts) {
    const key = affiliationKey({ ...draft, person: p.person });
    const known = merged.get(key);
    merged.set(key, known === undefined ? draft : mergeDrafts(known, draft));
  }
  for (const [key, draft] of merged) {
    const { institution, kind, grade, from, to, primary } = draft;
    run.outbox.record({
      entity: 'affiliation',
      key,
      person: p.person,
      institution,
      kind,
      roles: [...new Set(draft.roles)].sort(),
      grade,
      localId: draft.localId !== null && looksCivil(draft.localId) ? null : draft.localId,
      from,
      to,
      primary,
    });
  }
  const known = run.users.get(p.person);
  const held = [...merged.values()].map(({ institution, kind }) => ({ institution, kind }));
  const user = { serial: known?.serial ?? run.users.size, held: [...(known?.held ?? []), ...held] };
  run.users.set(known === undefined ? ownCopy(p.person) : p.person, user);
  return user;
}

function mergeDrafts(a: AffiliationDraft, b: AffiliationDraft): AffiliationDraft {
  const earlier = a.from === null || b.from === null ? null : ([a.from, b.from].sort()[0] ?? null);
  const later = a.to === null || b.to === null ? null : ([a.to, b.to].sort()[1] ?? null);
  return {
    ...a,
    roles: [...a.roles, ...b.roles],
    grade: a.grade ?? b.grade,
    localId: a.localId ?? b.localId,
    from: earlier,
    to: later,
    primary: a.primary === true || b.primary === true ? true : (a.primary ?? b.primary),
  };
}
