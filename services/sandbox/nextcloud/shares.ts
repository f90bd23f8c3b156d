import { fieldOf } from './exchange.ts';
import { lookAt, receives, sharedNode } from './files.ts';
import { type OcsResult, ok, refuse } from './ocs.ts';
import { type Call, type Route, textField } from './route.ts';
import { findGroup, findUser, homeOf, type Node, nextNumber, nodeAt, type Share } from './state.ts';

const base = 'apps/files_sharing/api/v1/shares';

/** Sharing of own folders with groups and accounts; recording nextcloud-34.0.1/29. */
export const shareRoutes: readonly Route[] = [
  { method: 'GET', path: base, needs: 'login', confirm: false, handle: listShares },
  { method: 'POST', path: base, needs: 'login', confirm: false, handle: createShare },
  { method: 'GET', path: `${base}/*`, needs: 'login', confirm: false, handle: readShare },
  { method: 'PUT', path: `${base}/*`, needs: 'login', confirm: false, handle: changeShare },
  { method: 'DELETE', path: `${base}/*`, needs: 'login', confirm: false, handle: deleteShare },
];

const unknownShare = refuse(404, 'Wrong share ID, share does not exist');

function createShare(call: Call): OcsResult {
  const path = textField(call, 'path').replace(/^\/+|\/+$/g, '');
  const seen = lookAt(call.state, call.caller.user, path);
  if (seen === null || path === '') return refuse(404, 'Wrong path, file/folder does not exist');
  const type = Number(fieldOf(call.ask, 'shareType') ?? '-1');
  const receiver = textField(call, 'shareWith');
  if (type !== 0 && type !== 1) return refuse(400, 'Unknown share type');
  if (type === 1 && findGroup(call.state, receiver) === undefined) {
    return refuse(404, 'Please specify a valid group');
  }
  if (type === 0 && findUser(call.state, receiver) === undefined) {
    return refuse(404, 'Please specify a valid account to share with');
  }
  // The same share again answers with the first one, also when other permissions are asked for.
  for (const share of call.state.shares.values()) {
    if (share.node === seen.node.id && share.type === type && share.with === receiver) {
      return ok(viewShare(call, share, seen.node, false));
    }
  }
  const made = Math.floor(Date.now() / 1000);
  const share: Share = {
    id: String(nextNumber(call.state, 'share')),
    owner: call.caller.user.id,
    node: seen.node.id,
    type,
    with: receiver,
    permissions: Number(fieldOf(call.ask, 'permissions') ?? '31'),
    made,
  };
  call.state.shares.set(share.id, share);
  return ok(viewShare(call, share, seen.node, true));
}

function viewShare(call: Call, share: Share, node: Node, fresh: boolean): Record<string, unknown> {
  const owner = findUser(call.state, share.owner);
  const own = call.caller.user.id === share.owner;
  const name = `/${node.path}`;
  const { baseline, shareMountFields: newer } = call.behaviour;
  const parent = nodeAt(call.state, node.space, node.path.split('/').slice(0, -1).join('/'));
  const holder = [...call.state.users.values()].findIndex((user) => user.id === share.owner);
  return {
    id: share.id,
    share_type: share.type,
    uid_owner: share.owner,
    displayname_owner: owner?.displayName ?? share.owner,
    permissions: share.permissions,
    can_edit: own,
    can_delete: own,
    stime: share.made,
    parent: null,
    expiration: null,
    token: null,
    uid_file_owner: share.owner,
    note: '',
    label: newer || fresh ? '' : null,
    displayname_file_owner: owner?.displayName ?? share.owner,
    path: name,
    item_type: node.directory ? 'folder' : 'file',
    ...(own || newer ? { item_permissions: own ? 31 : share.permissions } : {}),
    ...(newer ? { 'is-mount-root': !own, 'mount-type': own ? '' : 'shared' } : {}),
    mimetype: node.directory ? 'httpd/unix-directory' : node.contentType,
    has_preview: false,
    storage_id: own ? `home::${share.owner}` : `shared::${name}`,
    storage: holder === 0 ? baseline.storage : baseline.nextStorage + holder - 1,
    item_source: node.id,
    file_source: node.id,
    file_parent: parent?.id ?? 0,
    file_target: name,
    item_size: 0,
    item_mtime: node.modified,
    share_with: share.with,
    share_with_displayname: findGroup(call.state, share.with)?.displayName ?? share.with,
    mail_send: fresh ? 1 : 0,
    hide_download: 0,
    attributes: null,
  };
}

function listShares(call: Call): OcsResult {
  const { user } = call.caller;
  const withMe = textField(call, 'shared_with_me') === 'true';
  const path = fieldOf(call.ask, 'path')?.replace(/^\/+|\/+$/g, '');
  if (path !== undefined && lookAt(call.state, user, path) === null) {
    return refuse(404, 'Wrong path, file/folder does not exist');
  }
  const found: unknown[] = [];
  for (const share of call.state.shares.values()) {
    const node = sharedNode(call.state, share);
    if (node === undefined) continue;
    const wanted = withMe
      ? receives(user, share) && share.owner !== user.id
      : share.owner === user.id;
    const here = path === undefined || (node.space === homeOf(user.id) && node.path === path);
    if (wanted && here) found.push(viewShare(call, share, node, false));
  }
  return ok(found);
}

function shareParam(call: Call): { readonly share: Share; readonly node: Node } | null {
  const share = call.state.shares.get(call.params[0] ?? '');
  const node = share === undefined ? undefined : sharedNode(call.state, share);
  return share === undefined || node === undefined ? null : { share, node };
}

function readShare(call: Call): OcsResult {
  const found = shareParam(call);
  const { user } = call.caller;
  if (found === null) return unknownShare;
  if (found.share.owner !== user.id && !receives(user, found.share)) return unknownShare;
  return ok([viewShare(call, found.share, found.node, false)]);
}

function changeShare(call: Call): OcsResult {
  const found = shareParam(call);
  if (found === null || found.share.owner !== call.caller.user.id) return unknownShare;
  const permissions = fieldOf(call.ask, 'permissions');
  if (permissions !== undefined) found.share.permissions = Number(permissions);
  call.state.shares.set(found.share.id, found.share);
  return ok(viewShare(call, found.share, found.node, false));
}

function deleteShare(call: Call): OcsResult {
  const found = shareParam(call);
  if (found === null || found.share.owner !== call.caller.user.id) return unknownShare;
  call.state.shares.delete(found.share.id);
  return ok();
}
