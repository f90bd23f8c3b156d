import type { ServerUnderTest } from './server.ts';

const password = 'Stribet-Sommerfugl-7';
const asked =
  '<?xml version="1.0"?><d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop><oc:permissions/></d:prop></d:propfind>';

function basic(user: string, secret: string): string {
  return `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
}

/** What people may do at paths of their home, by what WebDAV tells them: `hidden`, or words. */
export async function lookAsUsers(p: {
  readonly server: ServerUnderTest;
  readonly users: readonly string[];
  readonly paths: readonly string[];
}): Promise<Readonly<Record<string, readonly string[]>>> {
  const { server } = p;
  const seen: Record<string, string[]> = {};
  for (const user of p.users) {
    await setPassword({ server, user });
    seen[user] = [];
    for (const path of p.paths) {
      const encoded = path.split('/').map(encodeURIComponent).join('/');
      const answer = await fetch(`${server.url}/remote.php/dav/files/${user}/${encoded}`, {
        method: 'PROPFIND',
        headers: { Authorization: basic(user, password), Depth: '0' },
        body: asked,
      });
      seen[user].push(describe(answer.status, await answer.text()));
    }
  }
  return seen;
}

/** `G` read, `C` and `K` create, `D`, `N` and `V` change and delete. */
function describe(status: number, text: string): string {
  if (status === 404) return 'hidden';
  const letters = /permissions>([A-Z]*)</.exec(text)?.[1] ?? `HTTP ${status}`;
  const words = [letters.includes('G') ? 'read' : letters];
  if (letters.includes('CK')) words.push('create');
  if (/[DNV]/.test(letters)) words.push('change');
  return words.join(' ');
}

interface FileOf {
  readonly server: ServerUnderTest;
  readonly user: string;
  readonly path: string;
}

/** A file in somebody's own home, as the owner writes it. */
export async function putFile(p: FileOf & { readonly content: string }): Promise<void> {
  await setPassword(p);
  await asOwner(p, { method: 'PUT', body: p.content });
}

export async function removeFile(p: FileOf): Promise<void> {
  await asOwner(p, { method: 'DELETE' });
}

async function asOwner(p: FileOf, init: { method: string; body?: string }): Promise<void> {
  const headers = { Authorization: basic(p.user, password), 'Content-Type': 'text/plain' };
  const url = `${p.server.url}/remote.php/dav/files/${p.user}/${encodeURIComponent(p.path)}`;
  const answer = await fetch(url, { ...init, headers });
  if (!answer.ok) throw new Error(`${init.method} of a file: HTTP ${answer.status}`);
}

async function setPassword(p: {
  readonly server: ServerUnderTest;
  readonly user: string;
}): Promise<void> {
  const { server, user } = p;
  const answer = await fetch(`${server.url}/ocs/v2.php/cloud/users/${user}?format=json`, {
    method: 'PUT',
    headers: { Authorization: basic(server.user, server.password), 'OCS-APIRequest': 'true' },
    body: new URLSearchParams({ key: 'password', value: password }),
  });
  if (!answer.ok) throw new Error(`setting a password: HTTP ${answer.status}`);
}
