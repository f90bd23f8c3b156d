import { z } from 'zod';
import type { SnapshotCounts } from '../../provisioning/roster/accept.ts';
import type { SnapshotRow } from '../../provisioning/roster/read.ts';
import { listSnapshots } from '../../provisioning/roster/read.ts';
import { defineEndpoint } from './endpoint.ts';
import { Time } from './shapes.ts';

const Diagnostic = z
  .strictObject({
    code: z.string(),
    severity: z.enum(['error', 'warning', 'info']),
    file: z.string(),
    line: z.int().nullable(),
    field: z.string().nullable(),
    message: z.string(),
  })
  .meta({ id: 'Diagnostic' });

const Counts = z.strictObject({
  institutions: z.int(),
  people: z.int(),
  affiliations: z.strictObject({
    pupil: z.int(),
    staff: z.int(),
    external: z.int(),
    guardian: z.int(),
  }),
  groups: z.int(),
  memberships: z.int(),
  rejected: z.int(),
  changed: z.int().meta({ description: 'New, changed or back again since the snapshot before' }),
  gone: z.int(),
});

export const Snapshot = z
  .strictObject({
    id: z.string(),
    source: z.string(),
    format: z.string(),
    state: z.enum(['accepted', 'refused']),
    readAt: Time,
    takenAt: Time.nullable(),
    schoolYear: z.string().nullable(),
    counts: Counts.nullable().meta({ description: 'Null where the snapshot was refused' }),
    diagnosticCounts: z.array(
      z.strictObject({
        code: z.string(),
        severity: z.enum(['error', 'warning', 'info']),
        count: z.int(),
      }),
    ),
    diagnostics: z.array(Diagnostic).meta({ description: 'The first ones of them' }),
    refusal: z
      .strictObject({
        code: z.string(),
        message: z.string(),
        file: z.string().nullable(),
        line: z.int().nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'Snapshot' });
export type Snapshot = z.infer<typeof Snapshot>;

export const getSnapshots = defineEndpoint({
  method: 'get',
  path: '/api/v1/snapshots',
  role: 'reader',
  id: 'listSnapshots',
  summary: 'The latest readings of the feed, newest first, refused ones included',
  query: z.strictObject({
    limit: z.coerce.number().int().min(1).max(100).default(20),
    diagnostics: z.coerce.number().int().min(0).max(1000).default(100).meta({
      description: 'How many diagnostics to list of each snapshot; they are counted in any case',
    }),
  }),
  answer: z.strictObject({ items: z.array(Snapshot) }).meta({ id: 'Snapshots' }),
  run: async ({ context, query }) => {
    const { database, tenant } = context;
    const rows = await listSnapshots({ database, tenant, limit: query.limit });
    return {
      items: rows.map((row) => toSnapshot({ row, diagnosticsLimit: query.diagnostics })),
    };
  },
});

export function toSnapshot(p: {
  readonly row: SnapshotRow;
  readonly diagnosticsLimit: number;
}): Snapshot {
  const { row } = p;
  return {
    id: row.id,
    source: row.source,
    format: row.format,
    state: row.state,
    readAt: row.readAt.toISOString(),
    takenAt: row.takenAt?.toISOString() ?? null,
    schoolYear: row.schoolYear,
    counts: row.state === 'accepted' ? (row.counts as SnapshotCounts) : null,
    diagnosticCounts: countDiagnostics(row.diagnostics),
    diagnostics: row.diagnostics.slice(0, p.diagnosticsLimit),
    refusal: row.refusal,
  };
}

function countDiagnostics(diagnostics: SnapshotRow['diagnostics']): Snapshot['diagnosticCounts'] {
  const counts = new Map<string, Snapshot['diagnosticCounts'][number]>();
  for (const { code, severity } of diagnostics) {
    const key = `${severity}/${code}`;
    counts.set(key, { code, severity, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count);
}
