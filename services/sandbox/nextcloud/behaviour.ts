import { readFileSync } from 'node:fs';

export type NextcloudVersion = '34.0.1' | '29.0.1';

/**
 * Where the two recorded versions answer differently. Everything that is not in this table was
 * recorded to be the same in both.
 */
export interface Behaviour {
  readonly version: NextcloudVersion;
  /** As in status.php. */
  readonly build: string;
  /** An app password may write; 34.0.1 answers "Password confirmation is required". */
  readonly appPasswordMayWrite: boolean;
  /** A wrong password answers XML even where JSON was asked for. */
  readonly refusesInXml: boolean;
  /** `PATCH` of an account, for several fields at once; 32.0.1 has none yet either. */
  readonly editsWhole: boolean;
  /** Code of an unknown OCS route. */
  readonly unknownRoute: 998 | 404;
  /** A required parameter that is missing: an empty 400, or an error of the application. */
  readonly missingParameter: 'empty-400' | 'crash';
  /** Code of a value that the create or edit of a user refuses. */
  readonly badValue: 101 | 102;
  readonly badSubadmin: 109 | 102;
  readonly weakPasswordAtEdit: 107 | 103;
  readonly unknownKey: 113 | 103;
  readonly mailRequired: string;
  readonly notAdmin: string;
  readonly notAdminFolders: string;
  /** `free`, `total` and `relative` stand in quota before the first login, and unlimited is -3 instead of `none`. */
  readonly quotaBeforeLogin: boolean;
  readonly userFields: readonly string[];
  /** Attributes of an account that only the newer version has. */
  readonly newerAttributes: boolean;
  readonly davFeatures: string;
  readonly davNoPassword: string;
  readonly davWrongPassword: string;
  readonly davMissingPrincipal: string;
  readonly davDisabled: string;
  /** Team folders: answers carry the whole folder, a mount point is unique, errors have no OCS envelope. */
  readonly folders: 'whole' | 'bare';
  /** WebDAV works inside Team folders; 17.0.17 with 29.0.1 answers 500 (reference targets §6). */
  readonly davInFolders: boolean;
  /** File id of the administrator's home, and the number of its storage and of the first one after it. */
  readonly baseline: {
    readonly home: number;
    readonly storage: number;
    readonly nextStorage: number;
  };
  readonly maintenanceTotals: boolean;
  readonly shareMountFields: boolean;
}

const davTail =
  "No 'Authorization: Bearer' header found. Either the client didn't send one, or the server is mis-configured";
const davNoBasic =
  "No 'Authorization: Basic' header found. Either the client didn't send one, or the server is misconfigured";
const davNewer =
  'No public access to this resource., AppAPIAuth has not passed, This request is not for a federated calendar';
const davOlder = 'No public access to this resource.';
const davBad = 'Username or password was incorrect';

const newer: Behaviour = {
  version: '34.0.1',
  build: '34.0.1.2',
  appPasswordMayWrite: false,
  refusesInXml: false,
  editsWhole: true,
  unknownRoute: 998,
  missingParameter: 'empty-400',
  badValue: 101,
  badSubadmin: 109,
  weakPasswordAtEdit: 107,
  unknownKey: 113,
  mailRequired: 'An email address is required, to send a password link to the user.',
  notAdmin:
    'Logged in account must be an admin, a sub admin or gotten special right to access this setting',
  notAdminFolders:
    'Logged in user must be an admin, a sub admin or gotten special right to access this setting',
  quotaBeforeLogin: true,
  userFields:
    'address biography birthdate displayname email fediverse headline organisation phone profile_enabled pronouns role twitter bluesky website additional_mail'.split(
      ' ',
    ),
  newerAttributes: true,
  davFeatures:
    '1, 3, extended-mkcol, access-control, calendarserver-principal-property-search, nc-paginate, nextcloud-checksum-update, nc-calendar-search, nc-enable-birthday-calendar, 2',
  davNoPassword: `${davNewer}, ${davNoBasic}, ${davTail}, ${davNoBasic}`,
  davWrongPassword: `${davNewer}, ${davBad}, ${davTail}, ${davBad}`,
  davMissingPrincipal: 'Principal with name %s not found',
  davDisabled: 'OC\\User\\DisabledUserException: Account disabled',
  folders: 'whole',
  davInFolders: true,
  baseline: { home: 7, storage: 2, nextStorage: 3 },
  maintenanceTotals: true,
  shareMountFields: true,
};

const older: Behaviour = {
  ...newer,
  version: '29.0.1',
  build: '29.0.1.1',
  appPasswordMayWrite: true,
  refusesInXml: true,
  editsWhole: false,
  unknownRoute: 404,
  missingParameter: 'crash',
  badValue: 102,
  badSubadmin: 102,
  weakPasswordAtEdit: 103,
  unknownKey: 103,
  mailRequired: 'To send a password link to the user an email address is required.',
  notAdmin: 'Logged in account must be an admin',
  quotaBeforeLogin: false,
  userFields:
    'displayname email additional_mail phone address website twitter fediverse organisation role headline biography profile_enabled'.split(
      ' ',
    ),
  newerAttributes: false,
  davFeatures:
    '1, 3, extended-mkcol, access-control, calendarserver-principal-property-search, nextcloud-checksum-update, nc-calendar-search, nc-enable-birthday-calendar',
  davNoPassword: `${davOlder}, ${davNoBasic}, ${davTail}, ${davNoBasic}`,
  davWrongPassword: `${davOlder}, ${davBad}, ${davTail}, ${davBad}`,
  davDisabled: 'OC\\User\\LoginException: Account disabled',
  folders: 'bare',
  davInFolders: false,
  baseline: { home: 2, storage: 1, nextStorage: 4 },
  maintenanceTotals: false,
  shareMountFields: false,
};

export function behaviourOf(version: NextcloudVersion): Behaviour {
  return version === '34.0.1' ? newer : older;
}

export interface Capabilities {
  readonly etag: string;
  readonly data: unknown;
}

/** The recorded answers of the capabilities call, logged in and not; `{client-ip}` and `{base}` stand for the server's address. */
export function readCapabilities(version: NextcloudVersion): {
  readonly account: Capabilities;
  readonly guest: Capabilities;
} {
  const file = new URL(`capabilities-${version}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as {
    account: Capabilities;
    guest: Capabilities;
  };
}
