import type { Behaviour } from './behaviour.ts';
import type { State, User } from './state.ts';
import { homeOf } from './state.ts';

const scopes: Readonly<Record<string, string>> = {
  phone: 'v2-local',
  address: 'v2-local',
  website: 'v2-local',
  twitter: 'v2-local',
  bluesky: 'v2-local',
  fediverse: 'v2-local',
  organisation: 'v2-local',
  role: 'v2-local',
  headline: 'v2-local',
  biography: 'v2-local',
  profile_enabled: 'v2-local',
  pronouns: 'v2-federated',
};

/** An account as the API shows it, in the order of the real server's fields. */
export function viewUser(p: {
  readonly state: State;
  readonly behaviour: Behaviour;
  readonly user: User;
  /** Shown to an administrator of the account: state and storage are told too. */
  readonly governed: boolean;
  /** The account asks about itself: the scopes are told too. */
  readonly self: boolean;
}): Record<string, unknown> {
  const { user, behaviour } = p;
  const view: Record<string, unknown> = {};
  if (p.governed || behaviour.newerAttributes) view['enabled'] = user.enabled;
  if (p.governed) view['storageLocation'] = `/var/nextcloud/data/${user.id}`;
  view['id'] = user.id;
  if (behaviour.newerAttributes) {
    view['firstLoginTimestamp'] = user.firstLogin;
    view['lastLoginTimestamp'] = user.lastLogin;
  }
  view['lastLogin'] = user.lastLogin * 1000;
  view['backend'] = user.backend;
  view['subadmin'] = user.subadmin;
  view['quota'] = viewQuota(p);
  view['manager'] = user.manager;
  if (p.self) view['avatarScope'] = 'v2-federated';
  view['email'] = user.email === '' ? null : user.email;
  if (p.self) view['emailScope'] = 'v2-federated';
  view['additional_mail'] = [];
  if (p.self) view['additional_mailScope'] = [];
  view['displayname'] = user.displayName;
  view['display-name'] = user.displayName;
  if (p.self) view['displaynameScope'] = 'v2-federated';
  for (const [field, scope] of Object.entries(scopes)) {
    if (!behaviour.newerAttributes && (field === 'bluesky' || field === 'pronouns')) continue;
    view[field] = user.fields[field] ?? (field === 'profile_enabled' ? '1' : '');
    if (p.self) view[`${field}Scope`] = scope;
  }
  view['groups'] = [...user.groups].sort();
  view['language'] = user.language;
  view['locale'] = user.locale;
  if (behaviour.newerAttributes) view['timezone'] = user.fields['timezone'] ?? '';
  view['notify_email'] = null;
  view['backendCapabilities'] = {
    setDisplayName: user.backend === 'Database',
    setPassword: user.backend === 'Database',
  };
  return view;
}

/** 29.0.1 tells the free space of the disk where there is no quota. */
const diskBytes = 72_437_159_375;

function viewQuota(p: {
  readonly state: State;
  readonly behaviour: Behaviour;
  readonly user: User;
}): Record<string, unknown> {
  const skeleton = Number(p.user.fields['skeletonBytes'] ?? 0);
  const used = skeleton + usedBytes(p.state, homeOf(p.user.id));
  const bytes = quotaBytes(p.user.quota);
  if (!p.behaviour.quotaBeforeLogin && p.user.lastLogin === 0) {
    return { quota: bytes === null ? 'none' : bytes, used };
  }
  if (bytes === null && !p.behaviour.quotaBeforeLogin) {
    const relative = Math.round((used / diskBytes) * 10_000) / 100;
    return { free: diskBytes - used, used, total: diskBytes, relative, quota: -3 };
  }
  if (bytes === null) return { free: -3, used, total: -3, relative: 0, quota: -3 };
  // Nothing is allowed, and it is shown as if nothing were counted (recording 34.0.1/33).
  if (bytes === 0 && p.behaviour.quotaBeforeLogin) {
    return { free: -3, used, total: -3, relative: 0, quota: 0 };
  }
  const relative = bytes === 0 ? 0 : Math.round((used / bytes) * 10_000) / 100;
  return { free: Math.max(0, bytes - used), used, total: bytes, relative, quota: bytes };
}

export function usedBytes(state: State, space: string): number {
  let bytes = 0;
  for (const node of state.nodes.values()) {
    if (node.space === space) bytes += Buffer.byteLength(node.content, 'base64');
  }
  return bytes;
}

const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes of a size such as `5 GB`; null for unlimited. */
export function quotaBytes(quota: string): number | null {
  const size = parseSize(quota);
  return size === null || size === 'unlimited' ? null : size;
}

/** Null for what is not a size. */
export function parseSize(text: string): number | 'unlimited' | null {
  if (text === 'none' || text === 'default' || text === '') return 'unlimited';
  const [, number, unit = 'B'] = /^(\d+(?:\.\d+)?)\s*([KMGTP]?B)?$/i.exec(text.trim()) ?? [];
  if (number === undefined) return null;
  return Math.round(Number(number) * 1024 ** units.indexOf(unit.toUpperCase()));
}
