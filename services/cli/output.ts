import type { Held, LimitRow } from '../../provisioning/plan/limits.ts';
import type { ChangeRow, countChanges } from '../../provisioning/plan/read.ts';
import type { Reason } from '../../provisioning/plan/reason.ts';
import type { SnapshotReport } from '../../provisioning/roster/accept.ts';

/** What a command says to people goes to standard error when `--json` has standard output for itself. */
export interface Voice {
  say(line: string): void;
  /** A line that replaces the one before it on a terminal, and is printed seldom elsewhere. */
  progress(line: string): void;
}

export function openVoice(p: { readonly json: boolean }): Voice {
  const stream = p.json ? process.stderr : process.stdout;
  let open = false;
  let printedAt = 0;
  return {
    say(line) {
      if (open) stream.write('\n');
      open = false;
      stream.write(`${line}\n`);
    },
    progress(line) {
      if (stream.isTTY) {
        stream.write(`\r\x1b[2K${line}`);
        open = true;
      } else if (Date.now() - printedAt > 5000) {
        printedAt = Date.now();
        stream.write(`${line}\n`);
      }
    },
  };
}

export function progressBar(p: { readonly done: number; readonly of: number }): string {
  const share = p.of === 0 ? 1 : p.done / p.of;
  const full = Math.floor(share * 30);
  return `[${'#'.repeat(full)}${'.'.repeat(30 - full)}] ${p.done} of ${p.of} (${Math.floor(share * 100)} %)`;
}

/** Columns padded to their widest cell; numbers to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => [...String(row[column] ?? '')].length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const pad = ' '.repeat((widths[column] ?? 0) - [...String(cell)].length);
          return typeof cell === 'number' ? pad + cell : cell + pad;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function describeSnapshot(snapshot: SnapshotReport): string {
  const { counts } = snapshot;
  const { pupil, staff, external, guardian } = counts.affiliations;
  const worst = snapshot.diagnostics.filter((d) => d.severity !== 'info').length;
  return [
    `Feed: ${counts.institutions} institutions, ${counts.people} people (${pupil} pupils, ${staff} staff, ${external} external, ${guardian} guardians),`,
    `      ${counts.groups} groups, ${counts.memberships} memberships; ${counts.rejected} records rejected, ${worst} warnings.`,
  ].join('\n');
}

export type PlanCount = Awaited<ReturnType<typeof countChanges>>[number];

/** The plan on one page: what will be done per school and target, and what is held. */
export function describePlan(p: {
  readonly id: string;
  readonly held: readonly Held[];
  readonly limits: readonly LimitRow[];
  readonly counts: readonly PlanCount[];
}): string {
  const places = new Map<string, readonly PlanCount[]>();
  for (const count of p.counts) {
    const place = `${count.institutionName ?? count.institution ?? '-'}\t${count.target}\t${count.kind}`;
    places.set(place, [...(places.get(place) ?? []), count]);
  }
  const sum = (of: readonly PlanCount[], test: (count: PlanCount) => boolean) =>
    of.filter(test).reduce((total, { count }) => total + count, 0);
  const rows = [...places].map(([place, of]) => [
    ...place.split('\t'),
    sum(of, (c) => c.action === 'create'),
    sum(of, (c) => c.action === 'adopt'),
    sum(of, (c) => c.action === 'update' && c.reasonCode !== 'moved'),
    sum(of, (c) => c.reasonCode === 'moved'),
    sum(of, (c) => c.action === 'deactivate'),
    sum(of, (c) => c.action === 'delete'),
    sum(of, (c) => c.held),
  ]);
  const heads = [
    'school',
    'target',
    'kind',
    'create',
    'adopt',
    'change',
    'move',
    'deactivate',
    'delete',
    'held',
  ];
  return [
    `Plan ${p.id}`,
    ...(rows.length === 0 ? [] : [table([heads, ...rows])]),
    ...p.held.map((held) => `  held: ${describeHeld(held)}`),
    ...p.limits.filter(({ state }) => state !== 'ok').map((row) => `  ${describeLimit(row)}`),
  ].join('\n');
}

function describeLimit(row: LimitRow): string {
  const { code, count, countLimit, detail, institution, kind, of, percentLimit, state, target } =
    row;
  const about = detail === null ? '' : ` (${detail})`;
  // A missing institution and a silent source are told from the first on: they have no figures.
  const figures =
    target === '*'
      ? ''
      : `; up to ${percentLimit} % or ${countLimit} go through (limits.${row.limit})`;
  return `limit ${state}: ${code}${about}, institution ${institution}, ${target} ${kind}: ${count} of ${of}${figures}.`;
}

export function describeHeld(held: Held): string {
  const { action, count, institution, kind, of, target } = held;
  const allow = `run again with --allow ${institution}`;
  const place = `institution ${institution}: ${count} of ${of}`;
  switch (held.code) {
    case 'limit-deactivate':
    case 'limit-groups-vanishing': {
      const done = action === 'delete' ? 'deleted' : 'deactivated';
      return `${place} ${kind}s in ${target} would be ${done}, more than the limit lets pass. If the losses are real, ${allow}.`;
    }
    case 'limit-memberships-lost':
      return `${place} places in classes and courses (${kind}s in ${target}) would be lost, more than the limit lets pass. Look at the school's groups; if they are right, ${allow}.`;
    case 'limit-teacher-roles-lost':
      return `${place} roles of staff (${kind}s in ${target}) would be lost, more than the limit lets pass. Look at the roles in the school's system; if they are right, ${allow}.`;
    case 'limit-access-lost':
      return `${place} folders in ${target} would allow a role less, more than the limit lets pass. If policy means it, ${allow}.`;
    case 'limit-access-gained':
      return kind === 'account'
        ? `${place} people would get into folders of ${target} that they could not open, more than the limit lets pass. Look at their roles and groups; if they are right, ${allow}.`
        : `${place} folders in ${target} would allow a role more, beyond the limit. If policy means it, ${allow}.`;
    case 'limit-names-changed':
      return `${place} ${kind}s in ${target} would get another name, more than the limit lets pass. Look for swapped columns; if the names are right, ${allow}.`;
    case 'limit-identifiers-changed':
      return `${place} ${kind}s in ${target} would be other people or get other identifiers, more than the limit lets pass. Look whether the school's system was changed; if they are right, ${allow}.`;
    case 'limit-growth':
      return `institution ${institution}: ${count} new ${kind}s in ${target} beside the ${of} that stand, more than the limit lets pass. If they are real, ${allow}.`;
    case 'limit-institution-missing':
      return `institution ${institution} is missing from the feed: its ${count} people stay as they were. Mend the feed; if the school is closed, decide so in the inbox.`;
    case 'limit-source-silent':
      return kind === 'source'
        ? `${count} of ${of} sources were not read for days: what they said stays as it was. See to the export, or decide in the inbox that they are left alone.`
        : `institution ${institution}: the feed says nothing of its ${kind}s any more; the ${count} known ones stay as they were. Mend the feed.`;
    case 'adoption-ambiguous':
      return `institution ${held.institution}: ${held.count} ${held.kind}s in ${held.target} are not linked, because it is unclear to which of what stands there. skolebus show PLAN --held names the candidates.`;
    case 'limit-drift':
      return `institution ${held.institution}: ${held.count} of ${held.of} ${held.kind}s are missing in ${held.target}, more than the limit lets pass. Look at the server and at our rights there; if they were really deleted, run drift again with --allow ${held.target}.`;
    case 'protected-without-alias':
      return `institution ${held.institution}: ${held.count} protected without an alias. They have accounts under a neutral placeholder; the school enters an alias in its administration system.`;
    case 'undone':
      return `institution ${held.institution}: ${held.count} ${held.kind}s in ${held.target} that somebody undid and policy wants again (${held.action}). If it shall be done after all, run again with --allow ${held.institution}.`;
    case 'identity-contradiction':
      return `institution ${held.institution}: ${held.count} whose ids contradict each other or point to different people. Whoever is known stays as before, a new one gets no account, until the feed is mended or somebody decides.`;
    case 'identity-shared':
      return `institution ${held.institution}: ${held.count} whose id in the feed carries two people. Nobody is merged; the school gives each an id of their own.`;
    case 'relation-contradiction':
      return `institution ${held.institution}: ${held.count} guardians whose id belongs to somebody else. What the contact would see is not passed on; the school corrects the contact.`;
    default:
      return `institution ${held.institution}: ${held.count} (${held.code})`;
  }
}

/** One change as a line people read: who or what, and why. */
export function describeChange(change: ChangeRow): readonly string[] {
  const when =
    change.notBefore === null ? '' : ` on ${change.notBefore.toISOString().slice(0, 10)}`;
  return [
    change.institutionName ?? change.institution ?? '-',
    change.target,
    change.kind,
    `${change.action}${when}${change.held === null ? '' : ' (held)'}`,
    change.title,
    describeReason(change.reason),
  ];
}

const sentences: Readonly<Record<Reason['code'], string>> = {
  'adopt-mark': 'carries our mark already',
  'adopt-login': "has the person's login already",
  'adopt-username': "has the person's username already",
  'adopt-email': "has the person's e-mail and UNI-ID already",
  'adopt-name': 'stands there already under the same name',
  'adopt-unclear': 'something alike stands there already',
  drift: 'was changed in the target by hand',
  'drift-missing': 'was deleted in the target by hand',
  'drift-accepted': 'was changed in the target by hand, which policy accepts',
  new: 'new in the feed',
  starts: 'opened on the first day',
  changed: 'changed in the feed',
  moved: 'moved',
  renamed: 'has another name',
  members: 'other people in it',
  returned: 'is back in the feed',
  stays: 'is back before the grace period was over',
  left: 'no longer in the feed; the grace period runs first',
  shut: 'must not be open any more',
  'retention-over': 'the retention period is over',
  undone: 'goes back to what was before the plan that is undone',
};

function describeReason(reason: Reason): string {
  const fields = reason.fields.map((f) =>
    'added' in f
      ? `${f.field}: ${[...f.removed.map((r) => `-${r}`), ...f.added.map((a) => `+${a}`)].join(' ')}`
      : `${f.field}: ${f.from ?? 'none'} → ${f.to ?? 'none'}`,
  );
  return [sentences[reason.code], ...fields].join('; ');
}
