import { openDocuments } from '../../services/sandbox/documents.ts';
import type { NextcloudVersion } from '../../services/sandbox/nextcloud/behaviour.ts';
import {
  type NextcloudStandIn,
  startNextcloudStandIn,
} from '../../services/sandbox/nextcloud/stand-in.ts';

/** A server that the contract runs against. */
export interface ServerUnderTest extends AsyncDisposable {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

export interface StandInUnderTest extends ServerUnderTest {
  readonly appPassword: string;
  readonly standIn: NextcloudStandIn;
}

export async function startStandIn(p: {
  readonly version: NextcloudVersion;
  readonly user?: string;
}): Promise<StandInUnderTest> {
  const documents = openDocuments({ file: null });
  const credentials = {
    user: p.user ?? 'skolebus-service',
    password: 'Kurre-Kaninhop-88',
    appPassword: 'app-Kurre-Kaninhop-88',
  };
  const standIn = await startNextcloudStandIn({
    port: 0,
    documents,
    version: p.version,
    ...credentials,
  });
  return {
    url: standIn.url,
    ...credentials,
    standIn,
    async [Symbol.asyncDispose]() {
      await standIn[Symbol.asyncDispose]();
      documents[Symbol.dispose]();
    },
  };
}
