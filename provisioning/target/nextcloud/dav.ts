import type { getClient, getDefaultPropfind, resultToNode } from '@nextcloud/files/dav';

/** The home folder of an account, over WebDAV. Names are single path segments. */
export interface DavHome {
  /** Names of what lies in the home. */
  list(): Promise<readonly string[]>;
  /** True when it was made, false when it was there already. */
  makeFolder(name: string): Promise<boolean>;
  remove(name: string): Promise<void>;
}

interface Library {
  readonly getClient: typeof getClient;
  readonly getDefaultPropfind: typeof getDefaultPropfind;
  readonly resultToNode: typeof resultToNode;
}

let library: Promise<Library> | null = null;

/**
 * `@nextcloud/files` is made for the browser and reads `window`, `document` and `location` while it
 * is being loaded (measured for 4.1.0 on Node 24: "window is not defined"). They are lent to it then
 * and taken back, so that other libraries do not believe that they run in a browser.
 */
function loadLibrary(): Promise<Library> {
  library ??= (async () => {
    const giveBack = lendBrowser();
    try {
      return await import('@nextcloud/files/dav');
    } finally {
      giveBack();
    }
  })();
  return library;
}

const attributes: Readonly<Record<string, string>> = {
  'data-user': 'skolebus',
  'data-user-displayname': 'skolebus',
};

type Globals = Record<string, unknown>;

function lendBrowser(): () => void {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: unknown) => void kept.set(key, String(value)),
    removeItem: (key: string) => void kept.delete(key),
  };
  // Asked for once and kept for the whole process, so that it must name nobody in particular; the
  // owner of what is read comes from the server's own properties.
  const head = { dataset: {}, getAttribute: (name: string) => attributes[name] ?? null };
  const document = {
    head,
    documentElement: { lang: 'en', dataset: {} },
    readyState: 'complete',
    getElementsByTagName: (tag: string) => (tag === 'head' ? [head] : []),
    querySelector: () => null,
    getElementById: () => null,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  };
  return lend({
    window: globalThis,
    document,
    location: new URL('http://localhost/'),
    localStorage: storage,
    sessionStorage: storage,
    _oc_webroot: '',
  });
}

/** Sets globals that are not there, and gives back a function that removes them again. */
function lend(values: Globals): () => void {
  const globals = globalThis as unknown as Globals;
  const lent: [string, PropertyDescriptor | undefined][] = [];
  for (const [name, value] of Object.entries(values)) {
    const before = Object.getOwnPropertyDescriptor(globals, name);
    lent.push([name, before]);
    Object.defineProperty(globals, name, { value, configurable: true, writable: true });
  }
  return () => {
    for (const [name, before] of lent) {
      if (before === undefined) delete globals[name];
      else Object.defineProperty(globals, name, before);
    }
  };
}

/** Calls that only look at `window` while they run get one for that long. */
function withWindow<T>(work: () => T): T {
  const state = new Map([['#initial-state-files_sharing-isPublic', false]]);
  const giveBack = lend({ window: { _nc_initial_state: state } });
  try {
    return work();
  } finally {
    giveBack();
  }
}

/**
 * Opens the home of the account itself: Nextcloud lets nobody else in, not even an administrator
 * (recording nextcloud-34.0.1/28). Basic authentication on each call, since the cookie session would
 * need a request token here. Errors carry `status`.
 */
export async function openDavHome(p: {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}): Promise<DavHome> {
  const dav = await loadLibrary();
  const remote = `${p.url.replace(/\/+$/, '')}/remote.php/dav`;
  const root = `/files/${encodeURIComponent(p.user)}`;
  const basic = Buffer.from(`${p.user}:${p.password}`).toString('base64');
  const client = withWindow(() => dav.getClient(remote, { Authorization: `Basic ${basic}` }));

  return {
    async list() {
      const data = withWindow(() => dav.getDefaultPropfind());
      const answer = await client.getDirectoryContents(root, { details: true, data });
      const entries = 'data' in answer ? answer.data : answer;
      return withWindow(() => entries.map((one) => dav.resultToNode(one, root, remote).basename));
    },
    async makeFolder(name) {
      try {
        await client.createDirectory(`${root}/${name}`);
        return true;
      } catch (error) {
        // 405: it is there already.
        if ((error as { readonly status?: unknown }).status === 405) return false;
        throw error;
      }
    },
    remove: (name) => client.deleteFile(`${root}/${name}`),
  };
}
