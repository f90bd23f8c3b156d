import { type Answer, answerEmpty, answerJson, fieldOf, jsonType } from './exchange.ts';
import { answerOcs, ok, refuse, wantsJson } from './ocs.ts';
import { type Call, type Route, textField } from './route.ts';
import { findGroup, findUser, makeNode, nextNumber, nodeKey, type TeamFolder } from './state.ts';
import { usedBytes } from './user-view.ts';
import { compareText } from './users.ts';

/** Team folders live beside OCS: v1 codes under index.php, and errors without an envelope on 34.0.1. */
export const folderRoutes: readonly Route[] = [
  { method: 'GET', path: 'folders', needs: 'login', confirm: false, handle: listFolders },
  { method: 'POST', path: 'folders', needs: 'admin', confirm: true, handle: createFolder },
  { method: 'GET', path: 'folders/*', needs: 'login', confirm: false, handle: readFolder },
  {
    method: 'PUT',
    path: 'folders/*',
    needs: 'admin',
    confirm: true,
    handle: (call) => renameFolder(call, 'mountPoint'),
  },
  { method: 'DELETE', path: 'folders/*', needs: 'admin', confirm: true, handle: deleteFolder },
  {
    method: 'POST',
    path: 'folders/*/mountpoint',
    needs: 'admin',
    confirm: true,
    handle: (call) => renameFolder(call, 'mountpoint'),
  },
  { method: 'POST', path: 'folders/*/quota', needs: 'admin', confirm: true, handle: setQuota },
  { method: 'POST', path: 'folders/*/acl', needs: 'admin', confirm: true, handle: setAcl },
  {
    method: 'POST',
    path: 'folders/*/manageACL',
    needs: 'admin',
    confirm: true,
    handle: setManager,
  },
  { method: 'POST', path: 'folders/*/groups', needs: 'admin', confirm: true, handle: addGroup },
  {
    method: 'POST',
    path: 'folders/*/groups/*',
    needs: 'admin',
    confirm: true,
    handle: setPermissions,
  },
  {
    method: 'DELETE',
    path: 'folders/*/groups/*',
    needs: 'admin',
    confirm: true,
    handle: removeGroup,
  },
];

function answer(call: Call, data: unknown): Answer {
  return answerOcs({ ask: call.ask, generation: 'v1', result: ok(data) });
}

function answerDone(call: Call, folder: TeamFolder): Answer {
  if (call.behaviour.folders === 'bare') return answer(call, { success: true });
  return answer(call, { success: true, folder: viewFolder(call, folder) });
}

function notFound(call: Call): Answer {
  if (call.behaviour.folders === 'whole') {
    return answerJson(404, { message: 'Groupfolder not found' });
  }
  return answerOcs({ ask: call.ask, generation: 'v1', result: refuse(404) });
}

function missing(call: Call): Answer {
  if (call.behaviour.folders === 'whole') return answerEmpty(400);
  const body = `<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n`;
  return { status: 502, headers: { 'Content-Type': 'text/html' }, body };
}

/** The database's error number becomes the HTTP status (recordings 34.0.1/25 and 29.0.1/17). */
function duplicateKey(entry: string, key: string): Answer {
  const message = `An exception occurred while executing a query: SQLSTATE[23000]: Integrity constraint violation: 1062 Duplicate entry '${entry}' for key '${key}'`;
  return {
    status: 0,
    statusLine: 'HTTP/1.1 1062 ',
    headers: { 'Content-Type': jsonType },
    body: JSON.stringify({ message }),
  };
}

function viewFolder(call: Call, folder: TeamFolder): Record<string, unknown> {
  const newer = call.behaviour.folders === 'whole';
  const details = Object.entries(folder.groups).map(([id, permissions]) => {
    const displayName = (newer ? findGroup(call.state, id)?.displayName : undefined) ?? id;
    return [id, { displayName, permissions, type: 'group' }];
  });
  const view: Record<string, unknown> = {
    id: folder.id,
    mount_point: folder.mountPoint,
    quota: folder.quota,
    acl: folder.acl,
    ...(newer ? { acl_default_no_permission: false } : {}),
    size: usedBytes(call.state, `folder:${folder.id}`),
    groups: details.length === 0 ? [] : folder.groups,
    group_details: details.length === 0 ? [] : Object.fromEntries(details),
    manage: folder.acl ? viewManagers(call, folder) : [],
  };
  // The XML form leaves the details out (recording nextcloud-34.0.1/31).
  if (!wantsJson(call.ask)) delete view['group_details'];
  return view;
}

function viewManagers(call: Call, folder: TeamFolder): unknown[] {
  const managers: unknown[] = [];
  for (const { type, id } of folder.manage) {
    const name =
      type === 'group'
        ? findGroup(call.state, id)?.displayName
        : findUser(call.state, id)?.displayName;
    if (name !== undefined) managers.push({ type, id, displayname: name });
  }
  return managers;
}

function listFolders(call: Call): Answer {
  if (!call.caller.admin) return answer(call, []);
  const key = (folder: TeamFolder) => folder.mountPoint.toLowerCase();
  const folders = [...call.state.folders.values()].sort(
    (a, b) => compareText(key(a), key(b)) || a.id - b.id,
  );
  if (folders.length === 0) return answer(call, []);
  const sorted = call.behaviour.folders === 'whole';
  const entries = folders.map((folder, index) => [
    String(folder.id),
    { ...viewFolder(call, folder), ...(sorted ? { sortIndex: index } : {}) },
  ]);
  return answer(call, Object.fromEntries(entries));
}

function folderParam(call: Call): TeamFolder | undefined {
  return call.state.folders.get(call.params[0] ?? '');
}

function readFolder(call: Call): Answer {
  const folder = folderParam(call);
  if (folder === undefined || !call.caller.admin) return notFound(call);
  return answer(call, viewFolder(call, folder));
}

/** 34.0.1 takes leading slashes away, 29.0.1 keeps what it is given. */
function tidyMountPoint(call: Call, text: string): string {
  if (call.behaviour.folders === 'bare') return text;
  return text.replace(/^\/+/, '') || '/';
}

function isTaken(call: Call, mountPoint: string, besides: number | null): boolean {
  if (call.behaviour.folders === 'bare') return false;
  return [...call.state.folders.values()].some(
    (folder) => folder.mountPoint === mountPoint && folder.id !== besides,
  );
}

const taken = answerJson(400, { message: 'Mount point already exists' });

function createFolder(call: Call): Answer {
  const given = fieldOf(call.ask, 'mountpoint');
  if (given === undefined) return missing(call);
  const mountPoint = tidyMountPoint(call, given);
  if (isTaken(call, mountPoint, null)) return taken;
  const id = nextNumber(call.state, 'folder');
  const root = makeNode(call.state, { space: `folder:${id}`, path: '' });
  const folder: TeamFolder = {
    id,
    mountPoint,
    quota: -3,
    acl: false,
    groups: {},
    manage: [],
    root: root.id,
  };
  call.state.folders.set(String(id), folder);
  return answer(call, call.behaviour.folders === 'whole' ? viewFolder(call, folder) : { id });
}

function renameFolder(call: Call, field: 'mountpoint' | 'mountPoint'): Answer {
  const given = fieldOf(call.ask, field);
  if (given === undefined) return missing(call);
  const mountPoint = tidyMountPoint(call, given);
  return changeFolder(call, (folder) => {
    if (isTaken(call, mountPoint, folder.id)) return taken;
    folder.mountPoint = mountPoint;
    return null;
  });
}

function deleteFolder(call: Call): Answer {
  const folder = folderParam(call);
  if (folder === undefined) return notFound(call);
  call.state.folders.delete(String(folder.id));
  for (const node of [...call.state.nodes.values()]) {
    if (node.space === `folder:${folder.id}`) call.state.nodes.delete(nodeKey(node));
  }
  return answer(call, { success: true });
}

/** Changes a folder, unless the change answers with an error of its own. */
function changeFolder(call: Call, change: (folder: TeamFolder) => Answer | null): Answer {
  const folder = folderParam(call);
  if (folder === undefined) return notFound(call);
  const error = change(folder);
  if (error !== null) return error;
  call.state.folders.set(String(folder.id), folder);
  return answerDone(call, folder);
}

function setQuota(call: Call): Answer {
  return changeFolder(call, (folder) => {
    // PHP reads `1 GB` as the number 1.
    folder.quota = Number.parseInt(textField(call, 'quota'), 10) || 0;
    return null;
  });
}

function setAcl(call: Call): Answer {
  return changeFolder(call, (folder) => {
    folder.acl = isOn(textField(call, 'acl'));
    return null;
  });
}

function isOn(text: string): boolean {
  return text !== '' && text !== '0' && text !== 'false';
}

function setManager(call: Call): Answer {
  const type = textField(call, 'mappingType');
  const id = textField(call, 'mappingId');
  return changeFolder(call, (folder) => {
    const at = folder.manage.findIndex((one) => one.type === type && one.id === id);
    if (!isOn(textField(call, 'manageAcl'))) {
      if (at >= 0) folder.manage.splice(at, 1);
      return null;
    }
    if (at >= 0) return duplicateKey(`${folder.id}-${type}-${id}`, 'PRIMARY');
    folder.manage.push({ type, id });
    return null;
  });
}

/** A group that does not exist is added all the same (recording nextcloud-34.0.1/22). */
function addGroup(call: Call): Answer {
  const group = fieldOf(call.ask, 'group');
  if (group === undefined) return missing(call);
  return changeFolder(call, (folder) => {
    if (folder.groups[group] !== undefined) {
      return call.behaviour.folders === 'whole'
        ? answerJson(400, { message: 'Group already assigned to this Groupfolder' })
        : duplicateKey(`${folder.id}--${group}`, 'groups_folder_group');
    }
    folder.groups[group] = 31;
    return null;
  });
}

function setPermissions(call: Call): Answer {
  const group = call.params[1] ?? '';
  return changeFolder(call, (folder) => {
    if (folder.groups[group] !== undefined) {
      folder.groups[group] = Number.parseInt(textField(call, 'permissions'), 10) || 0;
    }
    return null;
  });
}

function removeGroup(call: Call): Answer {
  return changeFolder(call, (folder) => {
    delete folder.groups[call.params[1] ?? ''];
    return null;
  });
}
