import { z } from 'zod';

/** PHP writes an empty object as an empty list. */
function mapOf<T extends z.ZodType>(value: T) {
  return z.union([z.record(z.string(), value), z.array(z.unknown()).transform(() => ({}))]);
}

export const Envelope = z.object({
  ocs: z.object({
    meta: z.object({
      statuscode: z.coerce.number(),
      message: z.string().nullish().catch(null),
    }),
    data: z.unknown(),
  }),
});

/** What Team folders and the framework answer without an OCS envelope. */
export const Bare = z.object({ message: z.string() });

export const Status = z.object({
  installed: z.boolean(),
  maintenance: z.boolean(),
  versionstring: z.string(),
  productname: z.string().catch('Nextcloud'),
});

/** 34.0.1 answers -3 for unlimited, 29.0.1 before the first login the word `none`. */
const Quota = z
  .object({
    quota: z.union([z.number(), z.string()]).catch('none'),
    /** Bytes of the files in the home. */
    used: z.number().catch(0),
  })
  .catch({ quota: 'none', used: 0 });

const RawUser = z.object({
  id: z.string(),
  displayname: z.string().catch(''),
  email: z.string().nullish().catch(null),
  quota: Quota,
  language: z.string().catch(''),
  /** 29.0.1 leaves it out where the account asks about itself. */
  enabled: z.boolean().catch(true),
  groups: z.array(z.string()).catch([]),
  lastLogin: z.number().catch(0),
  backend: z.string().catch('Database'),
});
export const User = RawUser.transform(({ quota, ...rest }) => ({ ...rest, ...quota }));
export type User = z.infer<typeof User>;

export const UserIds = z.object({ users: z.array(z.string()) });
export const UserPage = z.object({ users: mapOf(User) });

export const GroupDetail = z.object({
  id: z.string(),
  displayname: z.string().catch(''),
  usercount: z.number().catch(-1),
});
export type GroupDetail = z.infer<typeof GroupDetail>;
export const GroupPage = z.object({ groups: z.array(GroupDetail) });

export const Folder = z.object({
  id: z.coerce.number(),
  mount_point: z.string(),
  quota: z.coerce.number(),
  size: z.coerce.number().catch(0),
  groups: mapOf(z.coerce.number()),
  /** Advanced permissions are on. 29.0.1 shows them as 0 and 1. */
  acl: z.coerce.boolean().catch(false),
  /** Who may set them. */
  manage: z.array(z.object({ type: z.string(), id: z.string() })).catch([]),
});
export type Folder = z.infer<typeof Folder>;
export const FolderList = mapOf(Folder);
export const FolderCreated = z.object({ id: z.coerce.number() });

/** Of the app serverinfo, which comes with Nextcloud; tried on 32.0.1. */
export const ServerInfo = z.object({
  nextcloud: z.object({ system: z.record(z.string(), z.unknown()).transform(onlyText) }),
});

function onlyText(values: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const text = Object.entries(values).filter(
    (pair): pair is [string, string] => typeof pair[1] === 'string',
  );
  return Object.fromEntries(text);
}

export const Provider = z.object({
  id: z.coerce.number(),
  identifier: z.string(),
  settings: z.record(z.string(), z.unknown()).catch({}),
});
export type Provider = z.infer<typeof Provider>;
export const ProviderList = z.array(Provider);
export const OidcUser = z.object({ user_id: z.string() });
