import type { CheckResult } from '../contract.ts';
import { get, listFolders, pageOfGroups } from './api.ts';
import { ServerInfo } from './schema.ts';
import type { Session } from './session.ts';

/** What stands in a server, or will when a plan is carried out. */
export interface Topology {
  readonly folders: number;
  /** Name and size of the groups that have access to a Team folder. */
  readonly groups: readonly { readonly name: string; readonly members: number }[];
}

/** Creating took 0.9 s at 500 Team folders and 3.3 s at 2,000 (groupfolders issue 233). */
const manyFolders = 500;
/** Writing into a folder took 4 s with groups of more than 1,000 on it (groupfolders issue 3574). */
const largeGroup = 1000;

/**
 * What others found to be slow, before it is built: one sentence for each, none when all is well.
 * The figures are reports of users (reference peers §2.8), not measurements of ours.
 */
export function warnOfTopology(p: Topology): readonly string[] {
  const warnings: string[] = [];
  if (p.folders > manyFolders) {
    warnings.push(
      `${p.folders} Team folders: from about ${manyFolders} on every further one takes a second and more to make; give small groups no folder of their own`,
    );
  }
  for (const { name, members } of p.groups) {
    if (members <= largeGroup) continue;
    warnings.push(
      `group "${name}" with ${members} members has a Team folder: from about ${largeGroup} members on each write into it takes seconds; use groups by school`,
    );
  }
  return warnings;
}

/** Passes also when it warns: slow is not wrong. */
export async function checkTopology(session: Session): Promise<readonly CheckResult[]> {
  const folders = await listFolders(session);
  const onFolders = new Set([...folders.values()].flatMap((one) => Object.keys(one.groups)));
  const groups: { name: string; members: number }[] = [];
  for (let offset = 0; ; offset += 200) {
    const page = await pageOfGroups({ session, limit: 200, offset });
    for (const { id, usercount } of page) {
      if (onFolders.has(id)) groups.push({ name: id, members: usercount });
    }
    if (page.length === 0) break;
  }
  const warnings = warnOfTopology({ folders: folders.size, groups });
  const message =
    warnings.length === 0
      ? `${folders.size} Team folders, no group of more than ${largeGroup} members on one`
      : `works, but slowly: ${warnings.join('; ')}`;
  return [{ name: 'size', ok: true, message }];
}

/** Whether file locks are kept in Redis; null where the app serverinfo is missing or says nothing. */
export async function readLocking(session: Session): Promise<'redis' | 'database' | null> {
  const path = '/ocs/v2.php/apps/serverinfo/api/v1/info';
  const reply = await session.ask(get(path, { skipApps: 'true', skipUpdate: 'true' }));
  const info = ServerInfo.safeParse(reply.data);
  if (!reply.ok || !info.success) return null;
  const { system } = info.data.nextcloud;
  if (system['filelocking.enabled'] === 'no') return 'redis';
  return /redis/i.test(system['memcache.locking'] ?? '') ? 'redis' : 'database';
}

export async function checkLocking(session: Session): Promise<readonly CheckResult[]> {
  const locking = await readLocking(session);
  const messages = {
    redis:
      'file locks do not burden the database; parallel creates may still leave half-made accounts on MariaDB (they are found and completed)',
    database:
      'works, but slowly: file locks are kept in the database, where parallel creates deadlock and leave half-made accounts behind (they are found and completed); set memcache.locking to Redis',
    null: 'the app serverinfo does not say how file locks are kept',
  };
  return [{ name: 'locking', ok: true, message: messages[locking ?? 'null'] }];
}
