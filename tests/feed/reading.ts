import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import type { FeedFormat } from '../../provisioning/feed/read.ts';
import { readFeed } from '../../provisioning/feed/read.ts';
import type {
  Diagnostic,
  Entity,
  FeedErrorCode,
  FeedItem,
  RosterRecord,
} from '../../provisioning/feed/record.ts';
import { FeedError } from '../../provisioning/feed/record.ts';

export interface Reading {
  readonly items: readonly FeedItem[];
  readonly records: readonly RosterRecord[];
  readonly diagnostics: readonly Diagnostic[];
  readonly rejected: readonly Extract<FeedItem, { readonly type: 'rejected' }>[];
  readonly removed: readonly Extract<FeedItem, { readonly type: 'removed' }>[];
  readonly coverage: readonly Extract<FeedItem, { readonly type: 'coverage' }>[];
  readonly snapshot: Extract<FeedItem, { readonly type: 'snapshot' }>;
  /** Codes of diagnostics, rejections included. */
  readonly codes: ReadonlySet<string>;
  /** The last record with this key, as the roster keeps it. */
  find<E extends Entity>(entity: E, key: string): Extract<RosterRecord, { readonly entity: E }>;
  has(entity: Entity, key: string): boolean;
}

export async function read(format: FeedFormat, path: string): Promise<Reading> {
  const items: FeedItem[] = [];
  for await (const item of readFeed({ format, path })) items.push(item);
  const ofType = <T extends FeedItem['type']>(type: T) =>
    items.filter((item): item is Extract<FeedItem, { readonly type: T }> => item.type === type);
  const records = ofType('record').map((item) => item.record);
  const diagnostics = ofType('diagnostic').map((item) => item.diagnostic);
  const rejected = ofType('rejected');
  const [snapshot] = ofType('snapshot');
  if (snapshot === undefined || items[0] !== snapshot) throw new Error('No snapshot came first.');
  const kept = new Map(records.map((record) => [`${record.entity} ${record.key}`, record]));
  return {
    items,
    records: [...kept.values()],
    diagnostics,
    rejected,
    removed: ofType('removed'),
    coverage: ofType('coverage'),
    snapshot,
    codes: new Set([...diagnostics, ...rejected.map((item) => item.diagnostic)].map((d) => d.code)),
    has: (entity, key) => kept.has(`${entity} ${key}`),
    find: (entity, key) => {
      const record = kept.get(`${entity} ${key}`);
      if (record === undefined) throw new Error(`No ${entity} ${key} was read.`);
      return record as never;
    },
  };
}

/** The code with which a feed is refused, or null when it was read. Anything but a FeedError fails. */
export async function refusal(format: FeedFormat, path: string): Promise<FeedErrorCode | null> {
  return (await failure(format, path))?.code ?? null;
}

export async function failure(format: FeedFormat, path: string): Promise<FeedError | null> {
  try {
    await read(format, path);
    return null;
  } catch (error) {
    if (error instanceof FeedError) return error;
    throw error;
  }
}

const folders: string[] = [];

afterAll(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'feed-'));
  folders.push(folder);
  return folder;
}

/** Writes files into a folder of their own that goes when the test file is done. */
export async function place(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await newFolder();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}
