import type { ResourceKind, TargetType } from '../resource.ts';

/** One write to a target, as far as the calendar asks about it. */
export interface Write {
  readonly targetType: TargetType;
  readonly kind: ResourceKind;
  /**
   * Members of the largest group that the write touches: of the group itself, of the groups that an
   * account comes into or leaves, of the groups that have access to a folder. 0 where there is none.
   */
  readonly members: number;
}

interface OperationRule {
  /** What people read in a plan and in the docs. */
  readonly title: string;
  readonly covers: (write: Write, largeGroup: number) => boolean;
}

/**
 * Writes that cost everybody else at the server something, though they are few.
 *
 * No operation stands here for password hashing in Keycloak: start passwords come as finished argon2id
 * hashes. Nor for cohorts: their members are no course edit.
 */
const rules = {
  // Course edits and role changes drop coursemodinfo and role definitions, which every request that
  // comes next wants rebuilt: 500 ms at best, seconds where a whole class asks at once (MDL-65676).
  'moodle-course-write': {
    title: 'courses and categories in Moodle: purges caches that every page needs',
    covers: ({ targetType, kind }) =>
      targetType === 'moodle' && (kind === 'course' || kind === 'category'),
  },
  // Team folders of large groups are slow to write for everybody in them: 4 s with 1,000 members,
  // 30,000 queries with 10,000 (groupfolders #3574, #5119).
  'nextcloud-large-group': {
    title: 'accounts, groups and folders of a large group in Nextcloud',
    covers: ({ targetType, members }, largeGroup) =>
      targetType === 'nextcloud' && members > largeGroup,
  },
} as const satisfies Readonly<Record<string, OperationRule>>;

export type Operation = keyof typeof rules;
export const operations = Object.keys(rules) as readonly Operation[];

/** The named operations that a write is; most are none. */
export function operationsOf(p: {
  readonly calendar: { readonly largeGroup: number };
  readonly write: Write;
}): readonly Operation[] {
  return operations.filter((name) => rules[name].covers(p.write, p.calendar.largeGroup));
}

/** What an operation is, in a few words. */
export function describeOperation(operation: Operation): string {
  return rules[operation].title;
}
