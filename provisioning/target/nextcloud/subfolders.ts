import type { NextcloudFolder, NextcloudSubfolder } from '../../policy/resource.ts';
import type { Outcome } from '../contract.ts';
import { folderPath, groupsPath, readFolder, readGroup, userPath } from './api.ts';
import { NextcloudError, reject, retry } from './failure.ts';
import { addGroup, lostOrThrow } from './folder-groups.ts';
import type { HttpAnswer } from './http.ts';
import type { Folder } from './schema.ts';
import type { Session } from './session.ts';

/**
 * Holds the service account and nobody else. Advanced permissions can only be set by somebody who
 * sees the folder, so that this group is put on a Team folder for the moment of setting them, and
 * taken off again: the service account does not keep a view of the pupils' files, and its home does
 * not fill up with hundreds of mounts.
 */
export const serviceGroup = 'skolebus-service';

/** Whether the rights inside the folder still have to be written. What the ledger saw confirmed is not read again. */
export function needsSubfolders(p: {
  readonly desired: NextcloudFolder;
  /** What we may have written before. */
  readonly stood: readonly NextcloudFolder[];
  readonly folder: Folder;
}): boolean {
  const { desired, stood } = p;
  const wanted = desired.subfolders ?? [];
  if (wanted.length === 0) return false;
  if (stood.length === 0 || !p.folder.acl) return true;
  return stood.some(
    ({ active, subfolders = [] }) =>
      active !== desired.active || JSON.stringify(subfolders) !== JSON.stringify(wanted),
  );
}

/**
 * Makes the subfolders and gives groups other rights in them than in the folder: fewer, since
 * advanced permissions never give more than the folder does. Groups without a rule keep the folder's.
 * A subfolder that is wanted no longer keeps its files and its rules: opening what was closed is for
 * a person to decide. WebDAV inside Team folders answers 500 on 29.0.1 with Team folders 17.0.17.
 */
export async function applySubfolders(p: {
  readonly session: Session;
  readonly serviceUser: string;
  readonly folder: Folder;
  readonly mountPoint: string;
  readonly desired: NextcloudFolder;
  readonly groupIds: ReadonlyMap<string, string>;
}): Promise<Outcome | null> {
  const { session, folder } = p;
  await ensureServiceGroup(p);
  await allowRules(p);
  await addGroup({ session, folder, group: serviceGroup });
  try {
    const mount = p.mountPoint.split('/');
    // A folder that came a moment ago answers 404 under its path until the home was listed: the
    // server goes by a mount cache of five minutes (measured on 32.0.1).
    await session.askDav({ method: 'PROPFIND', path: [], depth: 1, xml: whichFolder });
    const found = await session.askDav({ method: 'PROPFIND', path: mount, xml: whichFolder });
    const refusal = refuseMount({ answer: found, id: folder.id });
    if (refusal !== null) return refusal;
    for (const subfolder of p.desired.subfolders ?? []) {
      const failure = await writeSubfolder({ ...p, mount, subfolder });
      if (failure !== null) return failure;
    }
    return null;
  } finally {
    await takeOff({ session, id: folder.id });
  }
}

async function ensureServiceGroup(p: {
  readonly session: Session;
  readonly serviceUser: string;
}): Promise<void> {
  const { session, serviceUser } = p;
  const group = await readGroup(session, serviceGroup);
  if (group === null) {
    const form = { groupid: serviceGroup, displayname: 'Skolebus' };
    await session.ask({ method: 'POST', path: groupsPath, form });
  }
  const path = `${userPath(serviceUser)}/groups`;
  const reply = await session.ask({ method: 'POST', path, form: { groupid: serviceGroup } });
  if (!reply.ok) throw lost(`joining the group ${serviceGroup}: code ${reply.code}`);
}

/** Switches advanced permissions on, and names the service account as one who may set them. */
async function allowRules(p: {
  readonly session: Session;
  readonly serviceUser: string;
  readonly folder: Folder;
}): Promise<void> {
  const { session, serviceUser } = p;
  const path = folderPath(p.folder.id);
  if (!p.folder.acl) {
    const reply = await session.ask({ method: 'POST', path: `${path}/acl`, form: { acl: '1' } });
    if (!reply.ok) throw lost(`advanced permissions on a Team folder: code ${reply.code}`);
  }
  const isManager = (folder: Folder | null) =>
    folder?.manage.some((one) => one.type === 'user' && one.id === serviceUser) === true;
  if (isManager(p.folder)) return;
  // Twice the same manager breaks the status line (recording nextcloud-34.0.1/25). The list of
  // managers is hidden while advanced permissions are off, so that the folder is read again here.
  if (isManager(await readFolder(session, p.folder.id))) return;
  const form = { mappingType: 'user', mappingId: serviceUser, manageAcl: '1' };
  const reply = await session
    .ask({ method: 'POST', path: `${path}/manageACL`, form })
    .catch(lostOrThrow);
  if (reply?.ok === true || isManager(await readFolder(session, p.folder.id))) return;
  throw lost('becoming the manager of a Team folder: not confirmed');
}

const whichFolder =
  '<?xml version="1.0"?><d:propfind xmlns:d="DAV:" xmlns:nc="http://nextcloud.org/ns"><d:prop><nc:group-folder-id/><nc:acl-can-manage/></d:prop></d:propfind>';

/** Something else of this name in the service account's home must not get the rules. */
function refuseMount(p: { readonly answer: HttpAnswer; readonly id: number }): Outcome | null {
  const { status, text } = p.answer;
  if (status !== 207) return refused('looking into a Team folder', p.answer);
  const id = Number(/<(?:\w+:)?group-folder-id>(\d+)</.exec(text)?.[1]);
  if (id === p.id) return null;
  return status === 207 && Number.isNaN(id)
    ? reject(
        'mount-point-hidden',
        'the home of the service account holds something of this name: remove it, its home must be empty',
      )
    : retry('subfolder-write-failed', 'another Team folder answers under this mount point');
}

async function writeSubfolder(p: {
  readonly session: Session;
  readonly mount: readonly string[];
  readonly subfolder: NextcloudSubfolder;
  readonly desired: NextcloudFolder;
  readonly groupIds: ReadonlyMap<string, string>;
}): Promise<Outcome | null> {
  const path = [...p.mount];
  for (const segment of p.subfolder.path.split('/')) {
    path.push(segment);
    const made = await p.session.askDav({ method: 'MKCOL', path });
    // 405: it is there already.
    if (made.status !== 201 && made.status !== 405) return refused('making a subfolder', made);
  }
  const rules: string[] = [];
  for (const [key, bits] of Object.entries(p.subfolder.access)) {
    const group = p.groupIds.get(key);
    if (group === undefined) return retry('needs-group', 'a group of a subfolder does not exist');
    rules.push(rule({ group, bits: p.desired.active ? bits : bits & 1 }));
  }
  const xml = `<?xml version="1.0"?><d:propertyupdate xmlns:d="DAV:" xmlns:nc="http://nextcloud.org/ns"><d:set><d:prop><nc:acl-list>${rules.join('')}</nc:acl-list></d:prop></d:set></d:propertyupdate>`;
  const set = await p.session.askDav({ method: 'PROPPATCH', path, xml });
  const statuses = [...set.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code);
  if (set.status === 207 && statuses.every((code) => code === '200')) return null;
  return refused('rights in a subfolder', set);
}

/** The mask says which rights the rule decides: all five. */
function rule(p: { readonly group: string; readonly bits: number }): string {
  return `<nc:acl><nc:acl-mapping-type>group</nc:acl-mapping-type><nc:acl-mapping-id>${escapeXml(p.group)}</nc:acl-mapping-id><nc:acl-mask>31</nc:acl-mask><nc:acl-permissions>${p.bits}</nc:acl-permissions></nc:acl>`;
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function refused(what: string, answer: HttpAnswer): Outcome {
  if (answer.status === 400) {
    return reject('subfolder-refused', `${what}: the server refuses the name or the rights`);
  }
  return retry('subfolder-write-failed', `${what}: WebDAV answers ${answer.status}`);
}

/** Also for what an earlier attempt left behind. */
export async function takeOff(p: {
  readonly session: Session;
  readonly id: number;
}): Promise<void> {
  const below = `groups/${encodeURIComponent(serviceGroup)}`;
  await p.session.ask({ method: 'DELETE', path: `${folderPath(p.id)}/${below}` });
}

function lost(message: string): NextcloudError {
  return new NextcloudError({ code: 'answer-lost', message });
}
