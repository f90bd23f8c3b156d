import type { Connector } from '../../provisioning/target/contract.ts';

/** Looks at what the servers hold: anything twice, any account without what it should have. */
export async function inspectTargets(
  connectors: ReadonlyMap<string, Connector>,
): Promise<{ readonly doubled: number; readonly halfMade: number }> {
  let doubled = 0;
  let halfMade = 0;
  const names = [
    ['keycloak', 'account', 'username'],
    ['keycloak', 'group', 'path'],
    ['nextcloud', 'account', 'userId'],
    ['nextcloud', 'group', 'groupId'],
    ['nextcloud', 'folder', 'mountPoint'],
    ['moodle', 'account', 'username'],
    ['moodle', 'category', 'idnumber'],
    ['moodle', 'cohort', 'idnumber'],
    ['moodle', 'course', 'shortname'],
  ] as const;
  for (const [target, kind, name] of names) {
    const seen = new Set<unknown>();
    for await (const { body } of connectors.get(target)?.observe({ kind }) ?? []) {
      const value = body[name];
      if (value === null || value === undefined || value === '') continue;
      if (seen.has(value)) doubled += 1;
      seen.add(value);
      if (target !== 'nextcloud' || kind !== 'account' || value === 'admin') continue;
      const groups = body['groups'];
      const complete =
        body['displayName'] !== value &&
        Array.isArray(groups) &&
        groups.length > 0 &&
        body['active'] === true;
      if (!complete) halfMade += 1;
    }
  }
  return { doubled, halfMade };
}
