import type { Random } from '../../services/generator/random.ts';
import type { Earned, Files, Mutation } from './mutation.ts';
import { anyFile, pickFile, put, shuffled, textOf } from './mutation.ts';

const personElement = /<f:InstitutionPerson[\s\S]*?<\/f:InstitutionPerson>/g;
const groupElement = /<c:Group>[\s\S]*?<\/c:Group>/g;
const userId = /<c:UserId>([^<]*)<\/c:UserId>/;

interface Place {
  readonly files: Files;
  readonly random: Random;
  readonly earned: Earned;
}

const numberOf = (name: string) => name.replace('.xml', '');
const idOf = (element: string) => userId.exec(element)?.[1] ?? '';

/** Puts something in the place of one person's element. */
function changePerson(
  p: Place,
  change: (p: { readonly element: string; readonly others: readonly string[] }) => string,
): void {
  const name = pickFile(p);
  const text = textOf(p.files, name);
  const people = text.match(personElement) ?? [];
  if (people.length === 0) return;
  const element = p.random.pick(people);
  const others = people.filter((one) => one !== element);
  put(
    p.files,
    name,
    text.replace(element, () => change({ element, others })),
  );
}

function changeAll(
  p: Place,
  change: (p: { readonly text: string; readonly number: string }) => string,
) {
  const name = pickFile(p);
  put(p.files, name, change({ text: textOf(p.files, name), number: numberOf(name) }));
}

export const ws17Mutations: readonly Mutation[] = [
  ...anyFile,
  {
    name: 'cut anywhere',
    apply: (p) => {
      const name = pickFile(p);
      const bytes = p.files.get(name) ?? Buffer.alloc(0);
      p.files.set(name, bytes.subarray(0, p.random.between(0, Math.max(0, bytes.length - 2))));
    },
  },
  { name: 'a vanished file', apply: (p) => void p.files.delete(pickFile(p)) },
  {
    name: 'a file twice, under another name',
    apply: (p) => {
      const name = pickFile(p);
      p.files.set(`copy-${name}`, p.files.get(name) ?? Buffer.alloc(0));
    },
  },
  {
    name: 'a person twice',
    apply: (p) => changePerson(p, ({ element }) => element + element),
  },
  {
    name: 'people in another order',
    apply: (p) =>
      changeAll(p, ({ text }) => {
        const people = [...shuffled(p.random, text.match(personElement) ?? [])];
        return text.replace(personElement, () => people.pop() ?? '');
      }),
  },
  {
    name: 'a person without UserId',
    apply: (p) => changePerson(p, ({ element }) => element.replace(userId, '')),
  },
  {
    name: 'a UserId of the shape of a civil number',
    apply: (p) =>
      changePerson(p, ({ element }) => element.replace(userId, '<c:UserId>010203-0000</c:UserId>')),
  },
  {
    name: 'a person of whom it is not said whether they are protected',
    apply: (p) =>
      changePerson(p, ({ element }) => element.replace(/protected="[^"]*"/, 'protected="maybe"')),
  },
  {
    name: 'a person who is neither pupil nor staff',
    apply: (p) =>
      changePerson(p, ({ element }) =>
        element.replaceAll(/(<\/?f:)(Student|Employee|Extern)>/g, '$1Visitor>'),
      ),
  },
  {
    name: 'a role that nobody knows',
    apply: (p) =>
      changePerson(p, ({ element }) => {
        p.earned.moved.add(idOf(element));
        return element.replace(/<c:Role>[^<]*<\/c:Role>/, '<c:Role>Ridder</c:Role>');
      }),
  },
  {
    name: 'a person in a group that is not there',
    apply: (p) =>
      changePerson(p, ({ element }) => {
        p.earned.moved.add(idOf(element));
        return element.replace(/(<c:MainGroupId>)[^<]*/, '$1no-such-group');
      }),
  },
  {
    name: 'a group that is gone while people are in it',
    apply: (p) =>
      changeAll(p, ({ text, number }) => {
        const groups = text.match(groupElement) ?? [];
        if (groups.length === 0) return text;
        const group = p.random.pick(groups);
        const id = /<c:GroupId>([^<]*)/.exec(group)?.[1] ?? '';
        p.earned.groups.add(`${number}/${id}`);
        return text.replace(group, '');
      }),
  },
  {
    name: 'all groups gone',
    apply: (p) =>
      changeAll(p, ({ text, number }) => {
        p.earned.mass.add(number);
        return text.replaceAll(groupElement, '');
      }),
  },
  {
    name: 'a group of a type that nobody knows',
    apply: (p) =>
      changeAll(p, ({ text, number }) => {
        const groups = text.match(groupElement) ?? [];
        if (groups.length === 0) return text;
        const group = p.random.pick(groups);
        p.earned.groups.add(`${number}/${/<c:GroupId>([^<]*)/.exec(group)?.[1] ?? ''}`);
        return text.replace(group, group.replace(/(<c:GroupType>)[^<]*/, '$1Loge'));
      }),
  },
  {
    name: 'the UserId of somebody else',
    apply: (p) =>
      changePerson(p, ({ element, others }) => {
        if (others.length === 0) return element;
        const other = p.random.pick(others);
        // Truly gone is who bore the id that nobody bears any more.
        p.earned.leavers.add(idOf(element));
        p.earned.moved.add(idOf(other));
        return element.replace(userId, `<c:UserId>${idOf(other)}</c:UserId>`);
      }),
  },
  {
    name: 'new UserIds for a whole school',
    apply: (p) =>
      changeAll(p, ({ text, number }) => {
        p.earned.mass.add(number);
        return text.replaceAll(/<c:UserId>([^<]*)/g, '<c:UserId>ny$1');
      }),
  },
  {
    name: 'new local ids for a whole school',
    apply: (p) =>
      changeAll(p, ({ text }) =>
        text.replaceAll(/<b:LocalPersonId>([^<]*)/g, '<b:LocalPersonId>N$1'),
      ),
  },
  {
    name: 'the local id of somebody else',
    apply: (p) =>
      changePerson(p, ({ element, others }) => {
        const local = /<b:LocalPersonId>[^<]*<\/b:LocalPersonId>/;
        const other = local.exec(others[0] ?? '')?.[0];
        return other === undefined ? element : element.replace(local, other);
      }),
  },
  {
    name: 'half of the people gone',
    apply: (p) =>
      changeAll(p, ({ text, number }) => {
        p.earned.mass.add(number);
        return text.replaceAll(personElement, (element) => (p.random.chance(0.5) ? '' : element));
      }),
  },
  {
    name: 'all people gone',
    apply: (p) =>
      changeAll(p, ({ text, number }) => {
        p.earned.mass.add(number);
        return text.replaceAll(personElement, '');
      }),
  },
  {
    name: 'somebody who leaves',
    apply: (p) =>
      changePerson(p, ({ element }) => {
        p.earned.leavers.add(idOf(element));
        return '';
      }),
  },
  {
    name: 'given and family names swapped',
    apply: (p) =>
      changeAll(p, ({ text }) =>
        text
          .replaceAll('c:FirstName', 'c:Swapped')
          .replaceAll('c:FamilyName', 'c:FirstName')
          .replaceAll('c:Swapped', 'c:FamilyName'),
      ),
  },
  {
    name: 'another institution number in the document',
    apply: (p) =>
      changeAll(p, ({ text }) => text.replace(/(<c:InstitutionNumber>)[^<]*/, '$1A99999')),
  },
  {
    name: 'no institution number',
    apply: (p) =>
      changeAll(p, ({ text }) =>
        text.replace(/<c:InstitutionNumber>[^<]*<\/c:InstitutionNumber>/, ''),
      ),
  },
  {
    name: 'namespaces of an older version',
    apply: (p) => changeAll(p, ({ text }) => text.replaceAll('/7/', '/5/')),
  },
  {
    name: 'a SOAP envelope around it',
    apply: (p) =>
      changeAll(p, ({ text }) => {
        const body = text.replace(/<\?xml[^>]*\?>/, '');
        return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${body}</s:Body></s:Envelope>`;
      }),
  },
];
