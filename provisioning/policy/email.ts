import { createHash } from 'node:crypto';
import type { AffiliationSlice, PersonSlice } from './resource.ts';
import type { Policy } from './schema.ts';

/**
 * The feed's e-mail where policy wants it for some kind of affiliation of this person; null for
 * protected people (an address is mostly made of the name) and for what Moodle would refuse.
 */
export function emailOf(p: {
  readonly policy: Policy;
  readonly person: Pick<PersonSlice, 'protected' | 'email'>;
  readonly affiliations: readonly AffiliationSlice[];
}): string | null {
  const { person } = p;
  if (person.protected || person.email === null) return null;
  const { realFor } = p.policy.email;
  if (!p.affiliations.some((one) => realFor.includes(one.kind))) return null;
  // Keycloak and user_oidc store e-mails in lower case.
  const email = person.email.trim().toLowerCase();
  return email.length <= 100 && usable.test(email) ? email : null;
}

const atom = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+";
const usable = new RegExp(`^${atom}(\\.${atom})*@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$`);

/**
 * An address that stands for the account and never gets mail: Moodle sends nothing to `.invalid`, and
 * its e-mails must be unique (sign-in.md §2.4). A username that is no valid local part (dots at the
 * end or side by side) gets a hash, so that it stays unique.
 */
export function syntheticEmail(p: { readonly username: string; readonly domain: string }): string {
  const { username } = p;
  if (/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(username)) return `${username}@${p.domain}`;
  const hash = createHash('sha256').update(username).digest('hex').slice(0, 12);
  return `${username.replace(/[^a-z0-9_-]/g, '-').slice(0, 50)}-${hash}@${p.domain}`;
}
