/** Rows that must wait for the end of a calm window though their lane may run. */
export interface Exclusion {
  /** Courses and categories whose own settings change: Moodle purges its caches. People may come and go. */
  readonly courseWrites: boolean;
  /** Nextcloud groups and folders of more accounts than this; null: no limit. */
  readonly groupsAbove: number | null;
  /** What concerns people or groups of these grades. */
  readonly grades: readonly string[];
}

export const nothingExcluded: Exclusion = { courseWrites: false, groupsAbove: null, grades: [] };

/** What a row says of a course besides who is in it. */
const settings = (body: string) => `${body} - 'enrolments' - 'groups' - 'roles'`;

/**
 * SQL on the row `r` of `resource` that is true for what may be claimed, with its values numbered from
 * `firstValue` on. Parts of it look at many rows: it is for calm windows, in which little is claimed.
 */
export function exclude(p: { readonly without: Exclusion; readonly firstValue: number }): {
  readonly sql: string;
  readonly values: readonly unknown[];
} {
  const { courseWrites, groupsAbove, grades } = p.without;
  const parts: string[] = [];
  const values: unknown[] = [];
  const value = (of: unknown) => `$${p.firstValue + values.push(of) - 1}`;
  if (courseWrites) {
    parts.push(`and (r.kind not in ('course', 'category')
      or r.desired is not null and (${settings('r.desired')}) is not distinct from (${settings('r.applied')}))`);
  }
  if (groupsAbove !== null) {
    const most = value(groupsAbove);
    parts.push(`and (r.kind not in ('group', 'folder') or (
      select count(*) from (
        select from resource a where a.tenant_id = r.tenant_id and a.target = r.target
          and a.kind = 'account' and a.needs && (r.needs || r.ref) limit ${most}::int + 1) one
      ) <= ${most}::int)`);
  }
  if (grades.length > 0) {
    const list = value(grades);
    parts.push(`and (r.person_id is null or not exists (
        select from recognition g join record a on a.source = g.source and a.entity = 'affiliation'
          and a.person = g.record_key and a.gone_at is null
        where g.person_id = r.person_id and a.body->>'grade' = any(${list})))
      and (r.key not like 'group:%' or not exists (
        select from record e where e.entity = 'group' and e.gone_at is null
          and r.key in ('group:' || e.key, 'group:' || e.key || ':teachers')
          and e.body->>'grade' = any(${list})))`);
  }
  return { sql: parts.join('\n'), values };
}
