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

function* findUsernameFaults({ usernames }: Policy): Generator<Contradiction> {
  const wanted = [usernames.strategy, usernames.fallback];
  if (usernames.prefix === '' && wanted.some((strategy) => strategy.startsWith('prefix-'))) {
    yield { path: ['usernames', 'prefix'], message: 'the chosen strategy needs a prefix' };
  }
  if (usernames.prefix.startsWith('skolebus')) {
    yield { path: ['usernames', 'prefix'], message: 'names beginning with skolebus are reserved' };
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
