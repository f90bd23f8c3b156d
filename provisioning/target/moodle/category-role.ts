import { mayStand } from '../../ledger/work.ts';
import type { MoodleCategory } from '../../policy/resource.ts';
import type { ExternalIdLookup, Outcome, Work } from '../contract.ts';
import type { MoodleError } from './http.ts';
import { numberOf, type Site } from './site.ts';
import { applied, itemsPerCall, outcomeOf, rejected, sendWhole } from './write.ts';

/** One role of one person in a category. */
interface Grant {
  readonly work: Work;
  readonly key: string;
  readonly categoryId: number;
  readonly userId: number;
  readonly roleId: number;
}

/**
 * Gives and takes roles in whole categories, for those rows that stand. No web service lists roles
 * there (4.1 to 5.x), so what was applied last is all there is to compare with; giving and taking
 * twice is no harm (recording moodle-4.5.6/27). On a fresh site only managers can be made there.
 */
export async function syncCategoryRoles(p: {
  readonly site: Site;
  readonly externalIds: ExternalIdLookup;
  readonly outcomes: Map<Work, Outcome>;
}): Promise<void> {
  const standing = [...p.outcomes].flatMap(([work, outcome]) => {
    const id = outcome.state === 'applied' ? numberOf(outcome.externalId) : null;
    return work.desired === null || id === null ? [] : [{ work, id }];
  });
  const keys = standing.flatMap(({ work }) => [
    ...Object.keys(rolesOf(work.desired)),
    ...mayStand(work).flatMap((body) => Object.keys(rolesOf(body))),
  ]);
  if (keys.length === 0) return;
  const ids = await p.externalIds({ kind: 'account', keys: [...new Set(keys)] });
  const absent = new Map<Work, Set<string>>();
  const give: Grant[] = [];
  const take: Grant[] = [];
  for (const { work, id } of standing) {
    const missing = new Set<string>();
    absent.set(work, missing);
    const grants = (from: Work['desired'], but: Work['desired']): readonly Grant[] =>
      Object.entries(rolesOf(from)).flatMap(([key, roles]) => {
        const userId = numberOf(ids.get(key));
        if (userId === null && from === work.desired) missing.add(key);
        if (userId === null) return [];
        const others = rolesOf(but)[key] ?? [];
        return roles
          .filter((role) => !others.includes(role))
          .map((role) => ({ work, key, categoryId: id, userId, roleId: p.site.roleIds[role] }));
      });
    // What an attempt that failed half-way took or gave is not known: all is given once more.
    give.push(...grants(work.desired, work.attempts > 0 ? null : work.applied));
    take.push(...mayStand(work).flatMap((body) => grants(body, work.desired)));
  }
  const failures = new Map<Work, Outcome>();
  const settle = (grant: Grant, error: MoodleError): void => {
    // Moodle's word for a user who is deleted or never was.
    if (error.reason === 'codingerror') absent.get(grant.work)?.add(grant.key);
    else failures.set(grant.work, failureOf(error));
  };
  for (const [grant, error] of await sendGrants(p.site, 'core_role_unassign_roles', take)) {
    settle(grant, error);
  }
  for (const [grant, error] of await sendGrants(p.site, 'core_role_assign_roles', give)) {
    settle(grant, error);
  }
  for (const { work, id } of standing) {
    p.outcomes.set(work, failures.get(work) ?? applied(String(id), [...(absent.get(work) ?? [])]));
  }
}

function rolesOf(body: Work['desired']): NonNullable<MoodleCategory['roles']> {
  return (body as MoodleCategory | null)?.roles ?? {};
}

function failureOf(error: MoodleError): Outcome {
  if (error.code !== 'refused' || error.reason !== 'invalidparameter') return outcomeOf(error);
  const detail = 'this role cannot be given in a category: allow it for the context type Category';
  return rejected('role-not-assignable', detail);
}

async function sendGrants(
  site: Site,
  name: 'core_role_assign_roles' | 'core_role_unassign_roles',
  items: readonly Grant[],
): Promise<readonly (readonly [Grant, MoodleError])[]> {
  const list = name === 'core_role_assign_roles' ? 'assignments' : 'unassignments';
  const sent = await sendWhole({
    moodle: site.moodle,
    function: name,
    items,
    size: Math.min(100, itemsPerCall(4)),
    params: (batch) => ({
      [list]: batch.map((grant) => ({
        roleid: grant.roleId,
        userid: grant.userId,
        contextlevel: 'coursecat',
        instanceid: grant.categoryId,
      })),
    }),
  });
  return [...sent].flatMap(([grant, result]) =>
    result.ok ? [] : [[grant, result.error] as const],
  );
}
