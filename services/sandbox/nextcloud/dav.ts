import { randomBytes } from 'node:crypto';
import type { Behaviour } from './behaviour.ts';
import { readAclList } from './dav-acl.ts';
import { DavFault, davError } from './dav-error.ts';
import { fileId, readWanted, writeResponse } from './dav-properties.ts';
import { type Answer, type Ask, htmlType } from './exchange.ts';
import { listChildren, lookAt, mayManage, placeOf, type Seen, teamFoldersOf } from './files.ts';
import { findUser, makeNode, nodeAt, nodeKey, type State, secondsNow, type User } from './state.ts';

interface DavCall {
  readonly state: State;
  readonly behaviour: Behaviour;
  readonly ask: Ask;
  readonly user: User;
  /** `/remote.php/dav/files/<user>` as it was asked for. */
  readonly base: string;
  /** Decoded path in the home. */
  readonly path: string;
}

const methods =
  'OPTIONS, GET, HEAD, DELETE, PROPFIND, PUT, PROPPATCH, COPY, MOVE, REPORT, LOCK, UNLOCK';
const xmlType = 'application/xml; charset=utf-8';
const opening =
  '<?xml version="1.0"?>\n<d:multistatus xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns">';

/** WebDAV on `/remote.php/dav/files/<user>/...` and `/remote.php/webdav/...`; recordings nextcloud-34.0.1/26 to 28. */
export function answerDav(p: {
  readonly state: State;
  readonly behaviour: Behaviour;
  readonly ask: Ask;
  readonly user: User;
}): Answer {
  try {
    return dispatch(readCall(p));
  } catch (error) {
    if (error instanceof DavFault) return davError(error, headersOf(p));
    throw error;
  }
}

function readCall(p: {
  readonly state: State;
  readonly behaviour: Behaviour;
  readonly ask: Ask;
  readonly user: User;
}): DavCall {
  const { path } = p.ask;
  const [, base = '', owner = '', rest = ''] =
    /^(\/remote\.php\/dav\/files\/([^/]+))(.*)$/.exec(path) ??
    /^(\/remote\.php\/webdav)()(.*)$/.exec(path) ??
    [];
  if (base === '') throw new DavFault('NotFound', 404, `File not found: ${path}`);
  const id = owner === '' ? p.user.id : decodeURIComponent(owner);
  const home = findUser(p.state, id);
  if (home === undefined) {
    const message = p.behaviour.davMissingPrincipal.replace('%s', id);
    throw new DavFault('NotFound', 404, message);
  }
  const inside = rest
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent)
    .join('/');
  if (home.id !== p.user.id) {
    const create = p.ask.method === 'MKCOL';
    if (create) throw new DavFault('Forbidden', 403, 'Permission denied to create directory');
    throw new DavFault('NotFound', 404, `File with name /${inside} could not be located`);
  }
  return { ...p, base, path: inside };
}

/** Sabre answers PROPFIND and OPTIONS, also failed ones, with its list of features. */
function headersOf(p: { readonly ask: Ask; readonly behaviour: Behaviour }) {
  const told = p.ask.method === 'PROPFIND' || p.ask.method === 'OPTIONS';
  return told ? { DAV: p.behaviour.davFeatures } : {};
}

function dispatch(call: DavCall): Answer {
  const { behaviour, state, user, path } = call;
  const mount = path === '' ? null : placeOf(state, user, path).mount;
  if (!behaviour.davInFolders && mount !== null && mount.folder !== null) {
    throw new DavFault(null, 500, 'Internal Server Error');
  }
  const known = knownMounts(call);
  if (mount !== null && mount.folder !== null && !known.has(mount.folder.id)) {
    throw new DavFault('NotFound', 404, `File with name /${path} could not be located`);
  }
  switch (call.ask.method) {
    case 'OPTIONS':
      return plain(200, { Allow: methods, DAV: call.behaviour.davFeatures });
    case 'PROPFIND':
      return findProperties(call);
    case 'MKCOL':
      return makeDirectory(call);
    case 'PUT':
      return putFile(call);
    case 'GET':
    case 'HEAD':
      return getFile(call);
    case 'DELETE':
      return removeNode(call);
    case 'MOVE':
      return moveNode(call);
    case 'PROPPATCH':
      return patchProperties(call);
    default:
      throw new DavFault('NotImplemented', 501, `There was no handler found for this method`);
  }
}

/**
 * A path goes by the user's mount cache, which holds for five minutes: a folder that came meanwhile
 * is not found under its path until the home is listed (measured on 32.0.1).
 */
function knownMounts(call: DavCall): ReadonlySet<number> {
  const { state, user } = call;
  const cached = state.mounts.get(user.id);
  const lists = call.path === '' && call.ask.headers['depth'] !== '0';
  if (!lists && cached !== undefined && cached.at > secondsNow() - 300) {
    return cached.folders;
  }
  const folders = new Set(teamFoldersOf(state, user));
  state.mounts.set(user.id, { at: secondsNow(), folders });
  return folders;
}

function plain(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'Content-Type': htmlType, ...headers }, body: '' };
}

function multistatus(body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status: 207,
    headers: { 'Content-Type': xmlType, ...headers },
    body: `${opening}${body}</d:multistatus>\n`,
  };
}

function mustSee(call: DavCall, path = call.path): Seen {
  const seen = lookAt(call.state, call.user, path);
  if (seen === null) {
    throw new DavFault('NotFound', 404, `File with name /${path} could not be located`);
  }
  return seen;
}

/** Sabre writes the hex digits of an escape in lower case. */
function hrefOf(call: DavCall, seen: Seen | null, path = call.path): string {
  const encoded = path
    .split('/')
    .map((part) =>
      [...Buffer.from(part)]
        .map((byte) => {
          const letter = String.fromCharCode(byte);
          return /[\w\-.~()]/.test(letter) ? letter : `%${byte.toString(16).padStart(2, '0')}`;
        })
        .join(''),
    )
    .join('/');
  const slash = seen?.node.directory === true && path !== '' ? '/' : '';
  return `${call.base}/${encoded}${slash}`;
}

function findProperties(call: DavCall): Answer {
  const top = mustSee(call);
  const wanted = readWanted(call.ask.body.toString());
  const depth = call.ask.headers['depth'] ?? '1';
  const write = (seen: Seen, asChild: boolean) =>
    writeResponse({ ...call, seen, href: hrefOf(call, seen, seen.path), wanted, asChild });
  const parts = [write(top, false)];
  const queue =
    depth === '0' || !top.node.directory ? [] : listChildren(call.state, call.user, top);
  for (let child = queue.shift(); child !== undefined; child = queue.shift()) {
    parts.push(write(child, true));
    if (depth === 'infinity' && child.node.directory) {
      queue.unshift(...listChildren(call.state, call.user, child));
    }
  }
  return multistatus(parts.join(''), { DAV: call.behaviour.davFeatures });
}

function parentOf(path: string): string {
  return path.split('/').slice(0, -1).join('/');
}

function refuseName(call: DavCall): void {
  if (!call.path.includes('\\')) return;
  throw new DavFault('InvalidPath', 400, '"\\" is not allowed inside a file or folder name.');
}

function makeDirectory(call: DavCall): Answer {
  refuseName(call);
  if (lookAt(call.state, call.user, call.path) !== null) {
    throw new DavFault(
      'MethodNotAllowed',
      405,
      'The resource you tried to create already exists',
      methods,
    );
  }
  const parent = lookAt(call.state, call.user, parentOf(call.path));
  if (parent === null) throw new DavFault('Conflict', 409, 'Parent node does not exist');
  if ((parent.permissions & 4) === 0) throw new DavFault('Forbidden', 403, '');
  const { mount, inner } = placeOf(call.state, call.user, call.path);
  if (nodeAt(call.state, mount.space, inner) !== undefined) {
    throw new DavFault('Forbidden', 403, `Could not create directory /${call.path}`);
  }
  const node = makeNode(call.state, { space: mount.space, path: inner });
  return plain(201, { 'OC-FileId': fileId(call.state, node.id) });
}

function putFile(call: DavCall): Answer {
  refuseName(call);
  const parent = mustSee(call, parentOf(call.path));
  const existing = lookAt(call.state, call.user, call.path);
  if (existing !== null && call.ask.headers['if-none-match'] === '*') {
    throw new DavFault(
      'PreconditionFailed',
      412,
      'An If-None-Match header was specified, but the ETag matched (or * was specified).',
    );
  }
  const needed = existing === null ? parent.permissions & 4 : existing.permissions & 2;
  if (needed === 0) throw new DavFault('Forbidden', 403, '');
  const content = call.ask.body.toString('base64');
  const contentType = call.ask.headers['content-type'] ?? 'application/octet-stream';
  const { mount, inner } = placeOf(call.state, call.user, call.path);
  const node =
    existing?.node ??
    makeNode(call.state, { space: mount.space, path: inner, content, contentType });
  // Two writes within a second keep the ETag (recording nextcloud-34.0.1/28).
  if (node.modified !== secondsNow()) node.etag = randomBytes(16).toString('hex');
  node.modified = secondsNow();
  node.content = content;
  call.state.nodes.set(nodeKey(node), node);
  return plain(existing === null ? 201 : 204, {
    'OC-FileId': fileId(call.state, node.id),
    ETag: `"${node.etag}"`,
    'OC-ETag': `"${node.etag}"`,
  });
}

function getFile(call: DavCall): Answer {
  const { node } = mustSee(call);
  if (node.directory) return plain(200);
  const etag = `"${node.etag}"`;
  return {
    status: 200,
    headers: { 'Content-Type': `${node.contentType};charset=UTF-8`, ETag: etag, 'OC-ETag': etag },
    body: Buffer.from(node.content, 'base64').toString(),
  };
}

function subtree(call: DavCall, seen: Seen) {
  const { space, path } = seen.node;
  return [...call.state.nodes.values()].filter(
    (node) => node.space === space && (node.path === path || node.path.startsWith(`${path}/`)),
  );
}

function removeNode(call: DavCall): Answer {
  const seen = mustSee(call);
  if (seen.path === '' || seen.mountRoot || (seen.permissions & 8) === 0) {
    throw new DavFault('Forbidden', 403, '');
  }
  for (const node of subtree(call, seen)) call.state.nodes.delete(nodeKey(node));
  return plain(204);
}

function moveNode(call: DavCall): Answer {
  const seen = mustSee(call);
  const destination = new URL(String(call.ask.headers['destination'] ?? ''), 'http://localhost');
  const target = decodeURIComponent(destination.pathname.slice(call.base.length))
    .split('/')
    .filter((part) => part !== '')
    .join('/');
  const parent = lookAt(call.state, call.user, parentOf(target));
  if (parent === null) throw new DavFault('Conflict', 409, 'Parent node does not exist');
  const occupied = lookAt(call.state, call.user, target);
  if (occupied !== null && call.ask.headers['overwrite'] === 'F') {
    throw new DavFault('PreconditionFailed', 412, 'The destination node already exists');
  }
  if (seen.mountRoot || (seen.permissions & 2) === 0 || (parent.permissions & 4) === 0) {
    throw new DavFault('Forbidden', 403, '');
  }
  if (occupied !== null) {
    for (const node of subtree(call, occupied)) call.state.nodes.delete(nodeKey(node));
  }
  const { mount, inner } = placeOf(call.state, call.user, target);
  const from = seen.node.path;
  for (const node of subtree(call, seen)) {
    call.state.nodes.delete(nodeKey(node));
    node.path = `${inner}${node.path.slice(from.length)}`;
    node.space = mount.space;
    call.state.nodes.set(nodeKey(node), node);
  }
  return plain(occupied === null ? 201 : 204);
}

/** Only the advanced permissions of Team folders can be set; recording nextcloud-34.0.1/27. */
function patchProperties(call: DavCall): Answer {
  const seen = mustSee(call);
  const rules = readAclList(call.ask.body.toString());
  const { folder, node } = seen;
  if (rules === null || folder === null || !folder.acl || !mayManage(folder, call.user)) {
    throw new DavFault(
      null,
      500,
      'Property "{http://nextcloud.org/ns}acl-list" has an invalid value of array containing object',
    );
  }
  const before = node.acl;
  node.acl = [...rules];
  if (lookAt(call.state, call.user, call.path) === null) {
    node.acl = before;
    throw new DavFault('BadRequest', 400, 'You cannot remove your own read permission.');
  }
  call.state.nodes.set(nodeKey(node), node);
  return multistatus(
    `<d:response><d:href>${hrefOf(call, null)}</d:href><d:propstat><d:prop><nc:acl-list/></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`,
  );
}
