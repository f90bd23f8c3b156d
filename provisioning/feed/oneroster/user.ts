import type { PersonId, PersonRecord } from '../record.ts';
import { looksCivil, looksGarbled, ownCopy, sortIds } from '../text.ts';
import { draftsOfUser, institutionsOf, tellAffiliations } from './affiliation.ts';
import type { Run } from './run.ts';
import { fileOf, flagOf, keepUnlisted, lifeOf, listOf, tell } from './run.ts';
import { gradeOf } from './structure.ts';
import type { Row } from './table.ts';

/** Id types under which UNI-IDs were seen. */
const uniIdTypes = new Set(['uni-id', 'uniid', 'unilogin', 'uni-login', 'uni_id']);
/** Id types that name a civil number: only its hash is evidence. */
const civilTypes = /cpr|ssn|civil|personnummer|national/;

/**
 * One row of users.csv. Protection is said by `metadata.protected`, which only Skolebus writes: then
 * the names are the alias, or empty.
 *
 * @returns whether the row speaks of somebody who is there
 */
export function readUser(run: Run, row: Row): boolean {
  const { outbox } = run;
  const file = fileOf(run, 'users');
  const at = (field: string) => ({ file, line: row.number, field });
  const written = row.get('sourcedid');
  const key = written !== null && looksCivil(written) ? null : written;
  if (key !== null && lifeOf(run, 'users', row) === 'gone') {
    if (run.pack.completeness.users === 'delta') {
      outbox.send({ type: 'removed', entity: 'person', key });
    }
    return false;
  }
  const reject = (code: string, field: string, message: string): true => {
    const diagnostic = tell(code, 'error', at(field), message);
    if (key !== null) run.unreadable.add(`person\n${ownCopy(key)}`);
    outbox.reject({ entity: 'person', key, person: key, diagnostic });
    return true;
  };
  if (written === null) return reject('user-id-missing', 'sourcedId', 'A person without id.');
  if (key === null) {
    return reject('user-id-civil', 'sourcedId', 'An id has the shape of a civil number.');
  }
  if (row.outOfStep) {
    return reject('row-out-of-step', 'sourcedId', 'More cells than columns: a comma unquoted?');
  }
  if (row.get('password') !== null) {
    const message =
      'The feed carries passwords. They are not read; have them left out at the source.';
    outbox.noteOnce(tell('password-present', 'warning', at('password'), message));
  }
  const person = identify(run, { row, key });
  if (!person.protected && person.given === null && person.family === null) {
    return reject('name-missing', 'givenName', 'A person without any name.');
  }
  noteNames(run, { row, person });
  const repeated = run.users.has(key);
  if (repeated) {
    const message = 'A person stands twice; the roles of both rows count.';
    outbox.note(tell('user-duplicate', 'warning', at('sourcedId'), message));
  }
  run.people.tell({ record: person, file, line: row.number });
  const grade = gradeOf(run, row, 'users');
  const localId = row.get('identifier');
  const safeLocalId = localId !== null && looksCivil(localId) ? null : localId;
  if (safeLocalId !== localId && localId !== null) sealCivil(run, { key, written: localId });
  const fromRoles = (run.drafts.get(key) ?? []).map((draft) => ({
    ...draft,
    grade: draft.grade ?? (draft.kind === 'pupil' ? grade : null),
    localId: draft.localId ?? safeLocalId,
  }));
  const drafts =
    fromRoles.length > 0 ? fromRoles : draftsOfUser(run, { row, grade, localId: safeLocalId });
  run.drafts.delete(key);
  tellAffiliations(run, { person: key, drafts });
  if (drafts.length === 0 && !repeated) {
    const institutions = institutionsOf(run, row);
    const who = { row: row.number, institutions, grade, localId: safeLocalId, enrolments: [] };
    run.undecided.set(ownCopy(key), who);
  }
  rememberAgents(run, { row, child: key });
  return true;
}

function identify(run: Run, p: { readonly row: Row; readonly key: string }): PersonRecord {
  const { row, key } = p;
  const flag = (column: string) => flagOf(run, { entity: 'users', row, column });
  const isProtected = flag('metadata.protected') === true;
  return {
    entity: 'person',
    key,
    ids: idsOf(run, { row, key }),
    protected: isProtected,
    // 1.2: the name somebody goes by. It is what may be shown.
    given: row.get('preferredgivenname') ?? row.get('givenname'),
    family: row.get('preferredfamilyname') ?? row.get('familyname'),
    email: isProtected ? null : row.get('email'),
    mayLogIn: flag('enableduser') !== false,
  };
}

/** userIds is a list of `{type:id}`; before 1.1 one bare id. */
function idsOf(run: Run, p: { readonly row: Row; readonly key: string }): readonly PersonId[] {
  const { row, key } = p;
  const place = { file: fileOf(run, 'users'), line: row.number, field: 'userIds' };
  const ids = listOf(row.get('userids')).map((item): PersonId => {
    const match = /^\{([^:}]+):([^}]+)\}$/.exec(item);
    const type = match?.[1]?.trim().toLowerCase() ?? 'userid';
    return {
      system: uniIdTypes.has(type) ? 'uni-id' : type,
      value: (match?.[2] ?? item.replace(/[{}]/g, '')).trim(),
    };
  });
  const master = row.get('usermasteridentifier');
  if (master !== null) ids.push({ system: 'usermasteridentifier', value: master });
  const isCivil = ({ system, value }: PersonId) => looksCivil(value) || civilTypes.test(system);
  const safe = ids.filter((id) => id.value !== '' && !isCivil(id));
  for (const id of ids.filter(isCivil)) sealCivil(run, { key, written: id.value });
  if (safe.length < ids.length) {
    const message = 'An id that is or looks like a civil number was left out.';
    run.outbox.note(tell('user-id-dropped', 'warning', place, message));
  }
  return sortIds(safe);
}

function sealCivil(run: Run, p: { readonly key: string; readonly written: string }): void {
  const evidence = run.civil.seal(p.written);
  if (evidence === null) return;
  run.outbox.send({ type: 'evidence', person: p.key, as: null, ...evidence });
}

function noteNames(run: Run, p: { readonly row: Row; readonly person: PersonRecord }): void {
  const { row, person } = p;
  const warn = (code: string, field: string, message: string): void => {
    const place = { file: fileOf(run, 'users'), line: row.number, field };
    run.outbox.note(tell(code, 'warning', place, message));
  };
  if (looksGarbled(person.given) || looksGarbled(person.family)) {
    warn('name-garbled', 'givenName', 'A name was read in a wrong encoding before the export.');
  }
  if (person.given !== null && person.family !== null) return;
  if (!person.protected) warn('name-incomplete', 'familyName', 'A person has only one name.');
  else if (person.given === person.family) {
    warn('alias-missing', 'givenName', 'A protected person without alias gets a placeholder.');
  }
}

/**
 * Guardians of a pupil: `agentSourcedIds`, or `metadata.agentRelations`, which only Skolebus writes
 * and which says more: `guardian|mother|true`, comma separated.
 */
function rememberAgents(run: Run, p: { readonly row: Row; readonly child: string }): void {
  const { row } = p;
  const child = ownCopy(p.child);
  const said = listOf(row.get('metadata.agentrelations')).map((entry) => entry.split('|'));
  const plain = said.length > 0 ? [] : listOf(row.get('agentsourcedids')).map((id) => [id]);
  for (const [guardian = '', kind = null, custody = ''] of [...said, ...plain]) {
    run.saysRelations = true;
    run.relations.push({
      guardian: ownCopy(guardian),
      child,
      kind,
      custody: custody === '' ? null : custody === 'true',
      row: row.number,
    });
  }
}

/** Roles of people who stand in no row of users.csv: unknown in bulk, unchanged in delta. */
export function settleDrafts(run: Run): void {
  for (const [person, drafts] of run.drafts) {
    if (run.pack.completeness.users !== 'full') {
      tellAffiliations(run, { person, drafts });
      continue;
    }
    const place = { file: fileOf(run, 'roles'), line: null, field: 'userSourcedId' };
    const message = 'A role is of a person who is not listed; an earlier version stays.';
    const diagnostic = tell('user-dangling', 'warning', place, message);
    keepUnlisted(run, { entity: 'person', key: person, diagnostic });
  }
  run.drafts.clear();
}

/** Relations, once everybody is known: only of guardians who are listed, at each school of the child. */
export function settleRelations(run: Run): void {
  for (const { guardian, child, kind, custody, row } of run.relations) {
    const pupils = (run.users.get(child)?.held ?? []).filter(({ kind: as }) => as === 'pupil');
    for (const { institution } of pupils) {
      const key = `${institution}/${guardian}>${child}`;
      if (!run.users.has(guardian)) {
        const place = { file: fileOf(run, 'users'), line: row, field: 'agentSourcedIds' };
        const message = 'A guardian is not listed; an earlier version of the relation stays.';
        const diagnostic = tell('agent-dangling', 'info', place, message);
        run.outbox.reject({ entity: 'relation', key, institution, diagnostic });
        continue;
      }
      run.outbox.record({
        entity: 'relation',
        key,
        guardian,
        child,
        institution,
        kind:
          kind === 'mother' || kind === 'father' || kind === 'officially-attached' ? kind : 'other',
        custody,
      });
    }
  }
}
