import { mayManage, type Seen } from './files.ts';
import { escapeXml } from './ocs.ts';
import { findGroup, findUser, type State, type User } from './state.ts';
import { quotaBytes, usedBytes } from './user-view.ts';

const prefixes: Readonly<Record<string, string>> = {
  'DAV:': 'd',
  'http://sabredav.org/ns': 's',
  'http://owncloud.org/ns': 'oc',
  'http://nextcloud.org/ns': 'nc',
};

/** Names of the properties a PROPFIND body asks for, as `prefix:name`; null when it asks for the usual ones. */
export function readWanted(body: string): readonly string[] | null {
  const inner = /<(?:\w+:)?prop\b[^>]*>([\s\S]*?)<\/(?:\w+:)?prop>/.exec(body)?.[1];
  if (inner === undefined) return null;
  const spaces = new Map<string, string>();
  for (const [, prefix = '', uri = ''] of body.matchAll(/xmlns:?(\w*)="([^"]*)"/g)) {
    spaces.set(prefix, uri);
  }
  const wanted: string[] = [];
  for (const [, prefix = '', name = ''] of inner.matchAll(/<(?:(\w+):)?([\w-]+)[^>]*\/?>/g)) {
    const uri = spaces.get(prefix) ?? '';
    wanted.push(`${prefixes[uri] ?? 'x'}:${name}`);
  }
  return wanted;
}

const usual = {
  directory: [
    'd:getlastmodified',
    'd:resourcetype',
    'd:quota-used-bytes',
    'd:quota-available-bytes',
    'd:getetag',
  ],
  file: [
    'd:getlastmodified',
    'd:getcontentlength',
    'd:resourcetype',
    'd:getetag',
    'd:getcontenttype',
  ],
};

/** One `d:response`: what is there under 200, what is not under 404. */
export function writeResponse(p: {
  readonly state: State;
  readonly user: User;
  readonly seen: Seen;
  readonly href: string;
  readonly wanted: readonly string[] | null;
  /** Listed inside its parent: a mount then hides the rights on itself (recording nextcloud-34.0.1/26). */
  readonly asChild: boolean;
}): string {
  const wanted = p.wanted ?? (p.seen.node.directory ? usual.directory : usual.file);
  const found: string[] = [];
  const missing: string[] = [];
  for (const name of wanted) {
    const value = readProperty({ ...p, name });
    if (value === null) missing.push(`<${name}/>`);
    else found.push(value === '' && name.startsWith('nc:acl') ? `<${name}/>` : wrap(name, value));
  }
  return `<d:response><d:href>${escapeXml(p.href)}</d:href>${propstat(found, '200 OK')}${propstat(missing, '404 Not Found')}</d:response>`;
}

function wrap(name: string, value: string): string {
  if (name === 'd:resourcetype' && value === '') return '<d:resourcetype/>';
  return name === 'nc:inherited-acl-list' && value === ''
    ? `<${name}/>`
    : `<${name}>${value}</${name}>`;
}

function propstat(properties: readonly string[], status: string): string {
  if (properties.length === 0) return '';
  return `<d:propstat><d:prop>${properties.join('')}</d:prop><d:status>HTTP/1.1 ${status}</d:status></d:propstat>`;
}

function readProperty(p: {
  readonly state: State;
  readonly user: User;
  readonly seen: Seen;
  readonly name: string;
  readonly asChild: boolean;
}): string | null {
  const { seen, user, state } = p;
  const { node } = seen;
  const bytes = Buffer.byteLength(node.content, 'base64');
  switch (p.name) {
    case 'd:resourcetype':
      return node.directory ? '<d:collection/>' : '';
    case 'd:getlastmodified':
      return new Date(node.modified * 1000).toUTCString();
    case 'd:creationdate':
      return '1970-01-01T00:00:00+00:00';
    case 'd:getetag':
      return `&quot;${node.etag}&quot;`;
    case 'd:getcontentlength':
      return node.directory ? null : String(bytes);
    case 'd:getcontenttype':
      return node.directory ? null : escapeXml(node.contentType);
    case 'd:displayname':
      return escapeXml(seen.path.split('/').at(-1) || user.id);
    case 'd:quota-used-bytes':
      return node.directory ? String(usedBytes(state, node.space)) : null;
    case 'd:quota-available-bytes':
      return node.directory ? String(quotaBytes(user.quota) ?? -3) : null;
    case 'oc:fileid':
      return String(node.id);
    case 'oc:id':
      return fileId(state, node.id);
    case 'oc:size':
      return String(node.directory ? sizeBelow(p) : bytes);
    case 'oc:permissions':
      return letters(seen, p.asChild);
    case 'oc:owner-id':
      return escapeXml(seen.owner);
    case 'oc:owner-display-name':
      return escapeXml(findUser(state, seen.owner)?.displayName ?? seen.owner);
    case 'oc:favorite':
    case 'oc:comments-unread':
    case 'nc:is-encrypted':
      return '0';
    case 'nc:has-preview':
      return 'false';
    case 'nc:mount-type':
      return seen.mount;
    default:
      return readAclProperty(p);
  }
}

function readAclProperty(p: {
  readonly state: State;
  readonly user: User;
  readonly seen: Seen;
  readonly name: string;
}): string | null {
  const { folder, node } = p.seen;
  if (folder === null) return null;
  switch (p.name) {
    case 'nc:acl-enabled':
      return folder.acl ? '1' : '0';
    case 'nc:acl-can-manage':
      return folder.acl && mayManage(folder, p.user) ? '1' : '0';
    case 'nc:group-folder-id':
      return String(folder.id);
    case 'nc:inherited-acl-list':
      return '';
    case 'nc:acl-list':
      return node.acl
        .map((rule) => {
          const name =
            rule.type === 'group'
              ? findGroup(p.state, rule.id)?.displayName
              : findUser(p.state, rule.id)?.displayName;
          return `<nc:acl><nc:acl-mapping-type>${rule.type}</nc:acl-mapping-type><nc:acl-mapping-id>${escapeXml(rule.id)}</nc:acl-mapping-id><nc:acl-mapping-display-name>${escapeXml(name ?? rule.id)}</nc:acl-mapping-display-name><nc:acl-mask>${rule.mask}</nc:acl-mask><nc:acl-permissions>${rule.permissions}</nc:acl-permissions></nc:acl>`;
        })
        .join('');
    default:
      return null;
  }
}

function sizeBelow(p: { readonly state: State; readonly seen: Seen }): number {
  const { space, path } = p.seen.node;
  let bytes = 0;
  for (const node of p.state.nodes.values()) {
    if (node.space === space && (path === '' || node.path.startsWith(`${path}/`))) {
      bytes += Buffer.byteLength(node.content, 'base64');
    }
  }
  return bytes;
}

/** Rights in Nextcloud's letters. */
function letters(seen: Seen, asChild: boolean): string {
  const may = (bit: number) => (seen.permissions & bit) !== 0;
  const itself = !(asChild && seen.mountRoot && seen.mount === 'group');
  let text = seen.mount === 'shared' ? 'S' : '';
  if (may(16)) text += 'R';
  if (seen.mount === 'group') text += 'M';
  if (may(1)) text += 'G';
  if (may(8) && itself) text += 'D';
  if (may(2) && itself) text += 'NV';
  if (!seen.node.directory && may(2)) text += 'W';
  if (seen.node.directory && may(4)) text += 'CK';
  return text;
}

export function fileId(state: State, id: number): string {
  return `${String(id).padStart(8, '0')}${state.settings.get('instanceid')?.value ?? ''}`;
}
