import { quotaBytes } from '../policy/packages.ts';
import type {
  Body,
  NextcloudAccount,
  NextcloudFolder,
  NextcloudGroup,
} from '../policy/resource.ts';
import type { Fields, Names, ReadBack } from './seen.ts';
import { keysFor, sameText } from './seen.ts';

/**
 * A Nextcloud's own words as a body. Groups come as ids, a quota in bytes or as none; the default
 * quota cannot be read back, and a group is never open or closed there.
 */
export const readBackNextcloud: ReadBack = ({ kind, expected, found, names }) => {
  if (kind === 'account') {
    return readAccount({ expected: expected as NextcloudAccount, found, names });
  }
  if (kind === 'folder') {
    return readFolder({ expected: expected as NextcloudFolder, found, names });
  }
  if (kind === 'group') {
    return {
      ...(expected as NextcloudGroup),
      displayName: String(found['displayName'] ?? ''),
    };
  }
  return expected;
};

function readAccount(p: {
  readonly expected: NextcloudAccount;
  readonly found: Fields;
  readonly names: Names;
}): Body {
  const { expected, found, names } = p;
  return {
    ...expected,
    userId: String(sameText({ expected: expected.userId, found: found['userId'] }) ?? ''),
    displayName: String(found['displayName'] ?? ''),
    email: sameText({ expected: expected.email, found: found['email'] }) as string | null,
    quota: quotaOf({ expected: expected.quota, found: found['quota'] }),
    language: typeof found['language'] === 'string' ? found['language'] : expected.language,
    active: found['active'] === true,
    groups: keysFor({ kind: 'group', expected: expected.groups, found: found['groups'], names }),
  };
}

function quotaOf(p: { readonly expected: string; readonly found: unknown }): string {
  const { expected, found } = p;
  if (expected === 'default' || typeof found !== 'string') return expected;
  if (expected === 'none' || found === 'none') return found;
  return quotaBytes(expected) === quotaBytes(found) ? expected : found;
}

function readFolder(p: {
  readonly expected: NextcloudFolder;
  readonly found: Fields;
  readonly names: Names;
}): Body {
  const { expected, found } = p;
  const tidy = (text: string) => text.replace(/^\/+|\/+$/g, '');
  const mountPoint = tidy(String(found['mountPoint'] ?? ''));
  return {
    ...expected,
    mountPoint: mountPoint === tidy(expected.mountPoint) ? expected.mountPoint : mountPoint,
    quota: Number(found['quota'] ?? expected.quota),
    ...accessOf(p),
  };
}

/**
 * In a folder that is closed everybody who has access may only read: that is not a difference. One in
 * which a group has all its rights again has been opened.
 */
function accessOf(p: {
  readonly expected: NextcloudFolder;
  readonly found: Fields;
  readonly names: Names;
}): Pick<NextcloudFolder, 'access' | 'active'> {
  const { expected, names } = p;
  const there = (p.found['access'] ?? {}) as Readonly<Record<string, unknown>>;
  const wanted = Object.keys(expected.access);
  const read: [string, number][] = [];
  let { active } = expected;
  for (const key of keysFor({
    kind: 'group',
    expected: wanted,
    found: Object.keys(there),
    names,
  })) {
    const name = Object.keys(there).find((id) =>
      names.keysOf({ kind: 'group', name: id }).includes(key),
    );
    const bits = expected.access[key];
    const meant = bits === undefined || expected.active ? bits : bits & 1;
    // What cannot be judged now is as it should be.
    const now = name === undefined ? meant : Number(there[name]);
    if (now === undefined) continue;
    if (now === bits && now !== meant) active = true;
    read.push([key, now === meant && bits !== undefined ? bits : now]);
  }
  const access = Object.fromEntries(read.sort(([a], [b]) => (a < b ? -1 : 1)));
  return { access, active };
}
