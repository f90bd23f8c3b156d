import pLimit from 'p-limit';
import { mayStand } from '../../ledger/work.ts';
import type { NextcloudAccount, NextcloudFolder } from '../../policy/resource.ts';
import type { Connector, ExternalIdLookup, Outcome, Work } from '../contract.ts';
import type { PaceClock } from '../pace/pace.ts';
import type { AccountMode } from './account-create.ts';
import { applyAccount } from './accounts.ts';
import { listFolders } from './api.ts';
import { checkNextcloud } from './check.ts';
import { NextcloudError, outcomeOf } from './failure.ts';
import { applyFolder, type FolderList } from './folders.ts';
import { applyGroup } from './groups.ts';
import { observeNextcloud } from './observe.ts';
import { openProfileEditor } from './profile.ts';
import { openSession } from './session.ts';

export interface NextcloudTarget {
  /** The target's name in the tenant's configuration. */
  readonly name: string;
  /** With scheme, without `index.php`. */
  readonly url: string;
  /** An administrator's account of its own, with its real password: app passwords cannot write on 34.0.1. */
  readonly user: string;
  readonly password: string;
  readonly mode: 'local' | 'oidc';
  /** Mode oidc: the identifier of the provider in user_oidc; `keycloak` when left out. */
  readonly providerIdentifier?: string;
  /** Mode oidc: the claim that must be the user id; `preferred_username` when left out. */
  readonly uidClaim?: string;
  /** Longest wait for an answer; 30 s when left out, since a create takes a second and more under load. */
  readonly timeoutMs?: number;
  /** What the pace goes by; the system's when left out. */
  readonly clock?: PaceClock;
}

/**
 * Rows at once, over all batches of a connector. Four creates in parallel half-made 3 of 30 accounts
 * on MariaDB without Redis locking, two none then; with it, two left 29 of 500 half made (34.0.1). Team
 * folders are done one by one, because the list that guards against doubles has to be true.
 */
const parallel = { group: 4, account: 2, folder: 1 } as const;
type Kind = keyof typeof parallel;

/** A Nextcloud server with the app Team folders, 29 or newer. */
export function connectNextcloud(p: NextcloudTarget): Connector {
  const session = openSession({ ...p, timeoutMs: p.timeoutMs ?? 30_000 });
  const profile = openProfileEditor({ session });
  const mode: AccountMode =
    p.mode === 'local'
      ? { kind: 'local' }
      : { kind: 'oidc', identifier: p.providerIdentifier ?? 'keycloak' };
  const limits = {
    group: pLimit(parallel.group),
    account: pLimit(parallel.account),
    folder: pLimit(parallel.folder),
  };

  async function applyBatch(kind: Kind, batch: readonly Work[], lookup: ExternalIdLookup) {
    const groupIds = await lookup({ kind: 'group', keys: groupKeys(kind, batch) });
    // Listed when the first row's turn has come: another batch may create folders until then.
    let folders: Promise<FolderList> | null = null;
    const applyOne = async (work: Work): Promise<Outcome> => {
      if (kind === 'group') return applyGroup({ session, work });
      if (kind === 'account') {
        return applyAccount({ session, profile, mode, work, groupIds, serviceUser: p.user });
      }
      folders ??= listFolders(session);
      return applyFolder({ session, work, folders: await folders, groupIds, serviceUser: p.user });
    };
    let lost: Outcome | null = null;
    const turn = async (work: Work): Promise<Outcome> => {
      // A server out of reach is not asked again for each of the batch's other rows.
      if (lost !== null) return lost;
      try {
        return await applyOne(work);
      } catch (error) {
        const outcome = outcomeOf(asNextcloudError(error));
        if (outcome.state === 'unknown-host') lost = outcome;
        return outcome;
      }
    };
    if (kind === 'folder') {
      // The whole batch under one turn: the list must not change between its rows.
      return limits.folder(async () => {
        const outcomes: Outcome[] = [];
        for (const work of batch) outcomes.push(await turn(work));
        return outcomes;
      });
    }
    return Promise.all(batch.map((work) => limits[kind](() => turn(work))));
  }

  return {
    name: p.name,
    type: 'nextcloud',
    claimSize: { group: 40, account: 40, folder: 20 },
    pace: () => session.pace(),
    /** Nothing: Nextcloud needs no fields of ours, and its settings belong to its administrator. */
    async prepare() {},
    check: () => {
      const { url, user, password } = p;
      const uidClaim = p.uidClaim ?? 'preferred_username';
      return checkNextcloud({ session, profile, url, user, password, mode, uidClaim });
    },
    observe: ({ kind }) => observeNextcloud({ session, kind }),
    async apply({ batch, externalIds }) {
      const kind = batch[0]?.kind;
      if (kind === undefined) return [];
      if (kind === 'group' || kind === 'account' || kind === 'folder') {
        return applyBatch(kind, batch, externalIds);
      }
      const detail = `Nextcloud has no ${kind}`;
      return batch.map(() => ({ state: 'rejected', code: 'kind-unknown', detail }));
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** Wanted groups, and those that we may have given before, since leaving them needs their ids too. */
function groupKeys(kind: Kind, batch: readonly Work[]): readonly string[] {
  const keys = new Set<string>();
  for (const work of batch) {
    for (const body of [work.desired, ...mayStand(work)]) {
      if (body === null) continue;
      if (kind === 'account') for (const key of (body as NextcloudAccount).groups) keys.add(key);
      if (kind === 'folder') {
        const { access, subfolders = [] } = body as NextcloudFolder;
        for (const each of [access, ...subfolders.map((one) => one.access)]) {
          for (const key of Object.keys(each)) keys.add(key);
        }
      }
    }
  }
  return [...keys];
}

/** A defect of our own must not fail the neighbours of the row that met it. */
function asNextcloudError(error: unknown): NextcloudError {
  if (error instanceof NextcloudError) return error;
  const name = error instanceof Error ? error.name : 'unknown';
  return new NextcloudError({ code: 'answer-lost', message: `unexpected ${name}`, cause: error });
}
