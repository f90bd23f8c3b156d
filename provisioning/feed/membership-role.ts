import type { AffiliationKind, AffiliationRole, MembershipRole } from './record.ts';

/**
 * What somebody is in a group whose feed does not say so (WS17 never does): pupils learn, teachers
 * and pedagogues teach, who is only a substitute assists, everybody else is a member.
 */
export function deriveMembershipRole(p: {
  readonly kind: AffiliationKind;
  readonly roles: readonly AffiliationRole[];
}): MembershipRole {
  if (p.kind === 'pupil') return 'learner';
  if (p.kind !== 'staff') return 'member';
  if (p.roles.includes('teacher') || p.roles.includes('pedagogue')) return 'teacher';
  return p.roles.includes('substitute') ? 'assistant' : 'member';
}

/** The kind of affiliation that a role belongs to. */
export function kindOfRole(role: AffiliationRole): AffiliationKind {
  if (role === 'child' || role === 'pupil' || role === 'student') return 'pupil';
  if (role === 'trainee' || role === 'external') return 'external';
  return role === 'guardian' ? 'guardian' : 'staff';
}
