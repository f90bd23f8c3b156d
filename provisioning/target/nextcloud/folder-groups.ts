import { folderPath, readFolder } from './api.ts';
import { isLost, NextcloudError } from './failure.ts';
import type { Folder } from './schema.ts';
import type { Session } from './session.ts';

/** Null for an answer that was lost on the way; every other failure is thrown on. */
export function lostOrThrow(error: unknown): null {
  if (isLost(error)) return null;
  throw error;
}

/**
 * The group's permissions after adding it. A group that is on the folder already answers 400 on
 * 34.0.1 and breaks the status line on 29.0.1 (recordings 34.0.1/22 and 29.0.1/17): then the folder
 * is read back.
 */
export async function addGroup(p: {
  readonly session: Session;
  readonly folder: Folder;
  readonly group: string;
}): Promise<number> {
  const path = `${folderPath(p.folder.id)}/groups`;
  const reply = await p.session
    .ask({ method: 'POST', path, form: { group: p.group } })
    .catch((error: unknown) => lostOrThrow(error));
  if (reply?.ok === true) return 31;
  const now = await readFolder(p.session, p.folder.id);
  const bits = (now?.groups as Record<string, number> | undefined)?.[p.group];
  if (bits !== undefined) return bits;
  throw new NextcloudError({
    code: 'answer-lost',
    message: `a group on a Team folder: ${reply === null ? 'no answer' : `code ${reply.code}`}`,
  });
}
