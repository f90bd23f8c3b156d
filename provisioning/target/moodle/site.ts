import type { MoodleRole } from '../../policy/resource.ts';
import type { Moodle } from './http.ts';

/** One Moodle as the connector's parts see it. */
export interface Site {
  readonly moodle: Moodle;
  readonly roleIds: Readonly<Record<MoodleRole, number>>;
  /** The zone in which a course's first and last day are days. */
  readonly timeZone: string;
}

/** Ids of a fresh site; no web service lists the roles, so another site's are set in the connection. */
export const freshRoleIds: Readonly<Record<MoodleRole, number>> = {
  manager: 1,
  editingteacher: 3,
  teacher: 4,
  student: 5,
};

/** The number of an external id, or null for what cannot be one. */
export function numberOf(externalId: string | null | undefined): number | null {
  return externalId !== null && externalId !== undefined && /^\d{1,15}$/.test(externalId)
    ? Number(externalId)
    : null;
}
