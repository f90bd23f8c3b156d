/**
 * Writes that cost everybody else at the server something, though they are few; a window may forbid them in
 * every lane. Which rows they are is said where rows are claimed (`ledger/exclusion.ts`).
 *
 * No operation stands here for password hashing in Keycloak: start passwords come as finished argon2id
 * hashes. Nor for cohorts: their members are no course edit.
 */
export const operations = [
  // Course edits and role changes drop coursemodinfo and role definitions, which every request that
  // comes next wants rebuilt: 500 ms at best, seconds where a whole class asks at once (MDL-65676).
  'moodle-course-write',
  // Team folders of large groups are slow to write for everybody in them: 4 s with 1,000 members,
  // 30,000 queries with 10,000 (groupfolders #3574, #5119).
  'nextcloud-large-group',
] as const;
export type Operation = (typeof operations)[number];
