/** What policy wants for one person today, and why. */
import { gatherRoster, readInstitutions } from '../plan/slices.ts';
import type { PackageExplanation } from '../policy/explain-packages.ts';
import { explainPackages } from '../policy/explain-packages.ts';
import type { Entitlement } from '../policy/packages.ts';
import { packagesFor } from '../policy/packages.ts';
import type { AffiliationSlice, InstitutionSlice } from '../policy/resource.ts';
import type { Policy } from '../policy/schema.ts';
import type { Transaction } from '../store/database.ts';

export interface Wish {
  /** Somebody present has an affiliation today; whoever is leaving has only the last ones. */
  readonly present: boolean;
  readonly packages: readonly PackageExplanation[];
  readonly entitlement: Entitlement;
  readonly institutions: ReadonlyMap<string, InstitutionSlice>;
}

export async function readWishFor(p: {
  readonly tx: Transaction;
  readonly policy: Policy;
  readonly person: string;
  readonly today: string;
}): Promise<Wish> {
  await gatherRoster({ ...p, lifecycle: p.policy.lifecycle });
  const institutions = await readInstitutions(p.tx);
  const [seen] = await p.tx.query<{
    present: boolean;
    affiliations: readonly AffiliationSlice[] | null;
  }>('select present, affiliations from seen_person where person_id = $1', [p.person]);
  const present = seen?.present ?? false;
  const affiliations = seen?.affiliations ?? [];
  const context = { ...p, affiliations, institutions };
  return {
    present,
    packages: explainPackages(context),
    entitlement: packagesFor({ ...context, affiliations: present ? affiliations : [] }),
    institutions,
  };
}
