import type { Diagnostic } from '../record.ts';

/**
 * Names under which columns were seen, lower-cased, and the names of OneRoster 1.1 and 1.2 that they
 * stand for. Pre-1.1: userId, agents, orgs, grade. School Data Sync: orgSourcedId(s),
 * sessionSourcedIds, isPrimary, roleStartDate, roleEndDate. The rest are misspellings in published
 * sample packages.
 */
const aliases: Readonly<Record<string, string>> = {
  datalastmodified: 'datelastmodified',
  prefferedgivenname: 'preferredgivenname',
  prefferedmiddlename: 'preferredmiddlename',
  prefferedfamilyname: 'preferredfamilyname',
  userid: 'userids',
  agents: 'agentsourcedids',
  orgs: 'orgsourcedids',
  grade: 'grades',
  sessionsourcedids: 'termsourcedids',
  termsourcedid: 'termsourcedids',
  rolestartdate: 'begindate',
  roleenddate: 'enddate',
  isprimary: 'primary',
  schoolyearid: 'schoolyearsourcedid',
};

const perFile: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  users: { orgsourcedid: 'orgsourcedids' },
  classes: { orgsourcedid: 'schoolsourcedid', orgsourcedids: 'schoolsourcedid' },
  enrollments: { userid: 'usersourcedid', classid: 'classsourcedid', schoolid: 'schoolsourcedid' },
  roles: { userid: 'usersourcedid', orgsourcedids: 'orgsourcedid' },
};

export interface Header {
  /** Lower-cased proper name -> index; the first of two columns with one name counts. */
  readonly index: ReadonlyMap<string, number>;
  /** Columns up to the last one that has a name: sets with nameless trailing columns exist. */
  readonly width: number;
  /** All columns, nameless ones too. */
  readonly cells: number;
}

export function readHeader(p: {
  readonly cells: readonly string[];
  readonly entity: string;
  readonly file: string;
  readonly note: (diagnostic: Diagnostic) => void;
}): Header {
  const index = new Map<string, number>();
  let width = 0;
  let renamed = false;
  for (const [i, cell] of p.cells.entries()) {
    const written = cell.trim().toLowerCase();
    if (written === '') continue;
    width = i + 1;
    const name = perFile[p.entity]?.[written] ?? aliases[written] ?? written;
    renamed ||= name !== written;
    if (!index.has(name)) index.set(name, i);
  }
  const tell = (code: string, message: string): void =>
    p.note({ code, severity: 'info', file: p.file, line: 1, field: null, message });
  if (renamed)
    tell('header-renamed', 'Columns have older or misspelt names; they were understood.');
  if (width < p.cells.length) tell('header-nameless', 'The last columns have no name; left out.');
  return { index, width, cells: p.cells.length };
}
