import type { Held } from '../../provisioning/plan/limits.ts';
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
  ].join('\n');
}

export function describeHeld(held: Held): string {
  switch (held.code) {
    case 'limit-deactivate':
      return `institution ${held.institution}: ${held.count} of ${held.of} ${held.kind}s in ${held.target} would be ${held.action === 'delete' ? 'deleted' : 'deactivated'}, more than the limit lets pass. If the losses are real, run again with --allow ${held.institution}.`;
    case 'adoption-ambiguous':
      return `institution ${held.institution}: ${held.count} ${held.kind}s in ${held.target} are not linked, because it is unclear to which of what stands there. skolebus show PLAN --held names the candidates.`;
    case 'limit-drift':
      return `institution ${held.institution}: ${held.count} of ${held.of} ${held.kind}s are missing in ${held.target}, more than the limit lets pass. Look at the server and at our rights there; if they were really deleted, run drift again with --allow ${held.target}.`;
    case 'protected-without-alias':
      return `institution ${held.institution}: ${held.count} protected without an alias. They have accounts under a neutral placeholder; the school enters an alias in its administration system.`;
    case 'identity-contradiction':
      return `institution ${held.institution}: ${held.count} whose ids point to different people. They get no account until the feed's ids are mended.`;
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
  changed: 'changed in the feed',
  moved: 'moved',
  renamed: 'has another name',
  members: 'other people in it',
  returned: 'is back in the feed',
  stays: 'is back before the grace period was over',
  left: 'no longer in the feed; the grace period runs first',
  shut: 'must not be open any more',
  'retention-over': 'the retention period is over',
};

function describeReason(reason: Reason): string {
  const fields = reason.fields.map((f) =>
    'added' in f
      ? `${f.field}: ${[...f.removed.map((r) => `-${r}`), ...f.added.map((a) => `+${a}`)].join(' ')}`
      : `${f.field}: ${f.from ?? 'none'} → ${f.to ?? 'none'}`,
  );
  return [sentences[reason.code], ...fields].join('; ');
}
