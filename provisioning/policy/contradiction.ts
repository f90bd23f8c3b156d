import type { Policy } from './schema.ts';

interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const levels = ['none', 'read', 'write', 'share'];

/** What each setting allows alone, but not together with another one. */
export function findContradictions(policy: Policy): readonly Contradiction[] {
  return [
    ...findRepeated({
      names: policy.packages.map((one) => one.name),
      path: ['packages'],
      key: 'name',
    }),
    ...findRepeated({
      names: policy.schools.groups.map((one) => one.key),
      path: ['schools', 'groups'],
      key: 'key',
    }),
    ...findRepeated({
      names: policy.schools.folders.map((one) => one.key),
      path: ['schools', 'folders'],
      key: 'key',
    }),
    ...findUsernameFaults(policy),
    ...findFolderFaults(policy),
    ...findCourseFaults(policy),
    ...findRoleGroupFaults(policy),
  ];
}

function* findRepeated(p: {
  readonly names: readonly string[];
  readonly path: readonly string[];
  readonly key: string;
}): Generator<Contradiction> {
  for (const [index, name] of p.names.entries()) {
    if (p.names.indexOf(name) < index) {
      yield { path: [...p.path, index, p.key], message: `${name} is there already` };
    }
  }
}

function* findRoleGroupFaults(policy: Policy): Generator<Contradiction> {
  const path = ['keycloak', 'roleGroups'];
  const rules = policy.keycloak.roleGroups;
  const known = policy.schools.groups.map((group) => group.key);
  yield* findRepeated({ names: rules.map((rule) => rule.group), path, key: 'group' });
  for (const [index, { clientRoles, group }] of rules.entries()) {
    if (!known.includes(group)) {
      const have = known.join(', ') || 'none';
      yield {
        path: [...path, index, 'group'],
        message: `there is no school group ${group}; schools.groups has ${have}`,
      };
    }
    if ('realm-management' in clientRoles) {
      yield {
        path: [...path, index, 'clientRoles', 'realm-management'],
        message: 'roles that administer Keycloak itself are never given to a group',
      };
    }
  }
}

function* findUsernameFaults({ usernames }: Policy): Generator<Contradiction> {
  const wanted = [usernames.strategy, usernames.fallback];
  if (usernames.prefix === '' && wanted.some((strategy) => strategy.startsWith('prefix-'))) {
    yield { path: ['usernames', 'prefix'], message: 'the chosen strategy needs a prefix' };
  }
  if (usernames.prefix.startsWith('skolebus')) {
    yield { path: ['usernames', 'prefix'], message: 'names beginning with skolebus are reserved' };
  }
}

/** Advanced permissions only ever take away from what the folder gives. */
function* findSubfolderFaults(p: {
  readonly policy: Policy;
  readonly known: readonly string[];
  readonly unknown: (key: string) => string;
}): Generator<Contradiction> {
  const { access, subfolders } = p.policy.folders;
  yield* findRepeated({
    names: subfolders.map((one) => one.name),
    path: ['folders', 'subfolders'],
    key: 'name',
  });
  for (const [index, subfolder] of subfolders.entries()) {
    const path = ['folders', 'subfolders', index];
    const { learners, teachers, school } = subfolder;
    const more = (wanted: string, given: string) => levels.indexOf(wanted) > levels.indexOf(given);
    if (more(learners, access.learners)) {
      const message = `learners cannot have more than in the folder itself (${access.learners})`;
      yield { path: [...path, 'learners'], message };
    }
    if (more(teachers, access.teachers)) {
      const message = `teachers cannot have more than in the folder itself (${access.teachers})`;
      yield { path: [...path, 'teachers'], message };
    }
    if (more(learners, teachers)) {
      const message = `teachers cannot have less than learners (${learners}): they are members of the same group`;
      yield { path: [...path, 'teachers'], message };
    }
    for (const [key, wanted] of Object.entries(school)) {
      if (!p.known.includes(key)) {
        yield { path: [...path, 'school', key], message: p.unknown(key) };
      } else if (more(wanted, access.school[key] ?? 'none')) {
        const message = `${key} cannot have more than in the folder itself`;
        yield { path: [...path, 'school', key], message };
      }
    }
  }
}

function* findFolderFaults(policy: Policy): Generator<Contradiction> {
  const known = policy.schools.groups.map((group) => group.key);
  const unknown = (key: string) =>
    `there is no school group ${key}; schools.groups has ${known.join(', ') || 'none'}`;
  for (const key of Object.keys(policy.folders.access.school)) {
    if (!known.includes(key)) {
      yield { path: ['folders', 'access', 'school', key], message: unknown(key) };
    }
  }
  for (const [index, folder] of policy.schools.folders.entries()) {
    for (const key of Object.keys(folder.access)) {
      if (!known.includes(key)) {
        yield { path: ['schools', 'folders', index, 'access', key], message: unknown(key) };
      }
    }
  }
  yield* findSubfolderFaults({ policy, known, unknown });
  const { learners, teachers } = policy.folders.access;
  // Teachers are in the class group too, and Nextcloud adds up what a person's groups may do.
  if (levels.indexOf(teachers) < levels.indexOf(learners)) {
    yield {
      path: ['folders', 'access', 'teachers'],
      message: `teachers cannot have less than learners (${learners}): they are members of the same group`,
    };
  }
  for (const [kind, rules] of Object.entries(policy.groups)) {
    if (rules.folder && !rules.nextcloud) {
      yield {
        path: ['groups', kind, 'folder'],
        message: 'a folder needs a Nextcloud group: set nextcloud to true as well',
      };
    }
  }
}

function* findCourseFaults({ courses }: Policy): Generator<Contradiction> {
  for (const field of ['{institutionNumber}', '{groupId}']) {
    if (!courses.shortName.includes(field)) {
      yield {
        path: ['courses', 'shortName'],
        message: `a short name must be unique in Moodle: it needs ${field}`,
      };
    }
  }
}
