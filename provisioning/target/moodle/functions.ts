/**
 * What a function's `warnings` mean to the connector. HTTP 200 without an exception is no success
 * where a function is partial, so none may be overlooked.
 *
 * - `per-item`: names items that were not written; each becomes the outcome of its row
 * - `read-back`: does not say of whom it speaks; what stands is read back
 * - `unexpected`: has no list, or only for questions we do not ask: one in it means that the answer
 *   cannot be trusted (an unknown search key, for one, answers everybody: recording moodle-4.5.6/10)
 */
export type WarningUse = 'per-item' | 'read-back' | 'unexpected';

/** Every function that the connector calls; the token's service must have them all. */
export const moodleFunctions = {
  core_webservice_get_site_info: 'unexpected',
  core_user_create_users: 'unexpected',
  core_user_update_users: 'per-item',
  core_user_delete_users: 'unexpected',
  core_user_get_users: 'unexpected',
  core_user_get_users_by_field: 'unexpected',
  core_cohort_create_cohorts: 'unexpected',
  core_cohort_update_cohorts: 'unexpected',
  core_cohort_delete_cohorts: 'unexpected',
  core_cohort_get_cohorts: 'unexpected',
  core_cohort_search_cohorts: 'unexpected',
  core_cohort_add_cohort_members: 'read-back',
  core_cohort_delete_cohort_members: 'unexpected',
  core_cohort_get_cohort_members: 'unexpected',
  core_course_create_categories: 'unexpected',
  core_course_update_categories: 'unexpected',
  core_course_delete_categories: 'unexpected',
  core_course_get_categories: 'unexpected',
  core_course_create_courses: 'unexpected',
  core_course_update_courses: 'per-item',
  core_course_delete_courses: 'per-item',
  core_course_duplicate_course: 'unexpected',
  core_course_get_contents: 'unexpected',
  core_course_get_courses: 'unexpected',
  core_course_get_courses_by_field: 'unexpected',
  core_enrol_get_enrolled_users: 'unexpected',
  enrol_manual_enrol_users: 'unexpected',
  enrol_manual_unenrol_users: 'unexpected',
  core_role_assign_roles: 'unexpected',
  core_role_unassign_roles: 'unexpected',
  core_group_create_groups: 'unexpected',
  core_group_delete_groups: 'unexpected',
  core_group_get_course_groups: 'unexpected',
  core_group_get_group_members: 'unexpected',
  core_group_add_group_members: 'unexpected',
  core_group_delete_group_members: 'unexpected',
} as const satisfies Readonly<Record<string, WarningUse>>;

export type MoodleFunction = keyof typeof moodleFunctions;
