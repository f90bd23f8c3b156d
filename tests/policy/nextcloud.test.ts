import { expect, it } from 'vitest';
import { findContradictions } from '../../provisioning/policy/contradiction.ts';
import { desireGroup, desirePerson } from '../../provisioning/policy/desire.ts';
import { group, institutions, person, policyOf } from './slices.ts';

const schoolYear = '2026-2027';

it('closes a subfolder to learners and needs the group of teachers for it', () => {
  const policy = policyOf({
    folders: {
      subfolders: [{ name: 'Lærere' }, { name: 'Aflevering', learners: 'read' }],
    },
  });
  const slice = group();
  const resources = desireGroup({ policy, group: slice, institutions, schoolYear });
  const folder = resources.find((one) => one.kind === 'folder');
  const [all, teachers] = [`group:${slice.key}`, `group:${slice.key}:teachers`];

  expect(folder?.body).toMatchObject({
    access: { [all]: 15, [teachers]: 15 },
    subfolders: [
      { path: 'Aflevering', access: { [all]: 1, [teachers]: 15 } },
      { path: 'Lærere', access: { [all]: 0, [teachers]: 15 } },
    ],
  });
  expect(folder?.needs).toEqual(expect.arrayContaining([`group/${all}`, `group/${teachers}`]));
  expect(resources.map((one) => one.key)).toContain(teachers);
});

it('says nothing of subfolders or heirs where policy does not', () => {
  const policy = policyOf();
  const folder = desireGroup({ policy, group: group(), institutions, schoolYear }).find(
    (one) => one.kind === 'folder',
  );
  const account = desirePerson({ policy, person: person(), institutions }).find(
    (one) => one.target === 'nextcloud',
  );

  expect(folder?.body).not.toHaveProperty('subfolders');
  expect(account?.body).not.toHaveProperty('keepFilesWith');
});

it('names whoever keeps the files of a deleted account', () => {
  const policy = policyOf({ nextcloud: { onDelete: { keepFilesWith: 'arkiv' } } });
  const [account] = desirePerson({ policy, person: person(), institutions }).filter(
    (one) => one.target === 'nextcloud',
  );

  expect(account?.body).toMatchObject({ keepFilesWith: 'arkiv' });
});

it.each([
  ['learners', { learners: 'share', teachers: 'share' }],
  ['teachers', { learners: 'write', teachers: 'read' }],
  ['nobody', { school: { nobody: 'read' } }],
  ['leaders', { school: { leaders: 'write' } }],
] as const)('refuses a subfolder that gives %s what cannot be', (where, over) => {
  const policy = policyOf();
  const { folders } = policy;
  const subfolder = {
    name: 'x',
    learners: 'none',
    teachers: 'write',
    school: {},
    ...over,
  } as const;
  const faults = findContradictions({
    ...policy,
    folders: { ...folders, subfolders: [subfolder] },
  });

  expect(faults.map((fault) => fault.path.at(-1))).toContain(where);
});
