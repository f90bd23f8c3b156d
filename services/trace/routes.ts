import { moodleFunctions } from '../../provisioning/target/moodle/functions.ts';

/**
 * The words that the three servers' addresses are made of. Whatever else stands in a path may be the id
 * or the name of somebody or something, and becomes a `*`: a word that is missing here costs detail,
 * never privacy.
 */
const words: ReadonlySet<string> = new Set(
  [
    'admin realms users groups children members role-mappings realm clients available composite roles',
    'composites roles-by-id client-scopes protocol-mappers models scope-mappings protocol',
    'default-client-scopes optional-client-scopes default-default-client-scopes client-secret',
    'service-account-user identity-provider instances mappers organizations identity-providers domains',
    'federated-identity sessions logout reset-password credentials profile count partialImport',
    'openid-connect token serverinfo',
    'ocs v1.php v2.php cloud user apps user_oidc api v1 info capabilities enable disable subadmins',
    'index.php groupfolders folders quota acl manageACL mountpoint permissions remote.php dav files',
    'status.php login v2 webservice rest server.php',
  ]
    .join(' ')
    .split(' '),
);

/** `/admin/realms/kommune/users/3f..?x=y` is `/admin/realms/<any>/users/<any>`, with `*` for any. */
export function patternOf(path: string): string {
  const [way = ''] = path.split(/[?#]/);
  return way
    .replace(/\/+$/, '')
    .split('/')
    .map((part) => (part === '' || words.has(part) ? part : '*'))
    .join('/');
}

/** Moodle has one address; what is asked of it is the first thing in the form. */
export function moodleFunctionOf(body: unknown): string | null {
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) return null;
  const start = typeof body === 'string' ? body.slice(0, 500) : body.toString('latin1', 0, 500);
  const [, name] = /(?:^|&)wsfunction=([a-z0-9_]+)/.exec(start) ?? [];
  return name !== undefined && Object.hasOwn(moodleFunctions, name) ? name : null;
}
