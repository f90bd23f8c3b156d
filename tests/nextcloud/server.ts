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
  /** As on a server that nobody has set up for us. */
  readonly limitEdits?: boolean;
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
  standIn.control.limitEdits(p.limitEdits === true);
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

const off = 'x_none';
/** What the check wants: user ids as they are, and nothing that a login overwrites. */
export const safeSettings = {
  uniqueUid: false,
  mappingUid: 'preferred_username',
  mappingDisplayName: off,
  mappingEmail: off,
  mappingQuota: off,
  mappingGroups: off,
  mappingLanguage: off,
  mappingLocale: off,
  groupProvisioning: false,
};

/** The provider `keycloak`. A real server would look up the address first, and is set up with occ. */
export async function makeProvider(
  server: StandInUnderTest,
  settings: Readonly<Record<string, unknown>> = safeSettings,
): Promise<void> {
  const basic = Buffer.from(`${server.user}:${server.password}`).toString('base64');
  const url = `${server.url}/ocs/v2.php/apps/user_oidc/api/v1/provider?format=json`;
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${basic}`,
      'OCS-APIRequest': 'true',
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      identifier: 'keycloak',
      clientId: 'nextcloud',
      clientSecret: 'Kurre-Kaninhop-88',
      discoveryEndpoint: 'http://127.0.0.1:9/realms/skole/.well-known/openid-configuration',
      settings,
    }),
  });
  if (!answer.ok) throw new Error(`making the provider: HTTP ${answer.status}`);
}
