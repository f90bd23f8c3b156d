import type { Random } from '../../services/generator/random.ts';
import type { Earned, Files, Mutation } from './mutation.ts';
import { anyFile, pickFile, put, shuffled, textOf } from './mutation.ts';

interface Place {
  readonly files: Files;
  readonly random: Random;
  readonly earned: Earned;
}

type Cells = readonly string[];

/** Good enough for what our own generator writes: no line ends inside of cells. */
function parse(text: string): Cells[] {
  return text
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
      ),
    );
}

function write(rows: readonly Cells[]): string {
  const cell = (value: string) =>
    /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function change(
  p: Place,
  name: string,
  rows: (p: { readonly header: Cells; readonly rows: readonly Cells[] }) => readonly Cells[],
): void {
  const [header, ...rest] = parse(textOf(p.files, name));
  if (header === undefined) return;
  put(p.files, name, write(rows({ header, rows: rest })));
}

/** A file of rows; the manifest is another matter. */
function pickTable(p: Place): string {
  return p.random.pick([...p.files.keys()].filter((name) => name !== 'manifest.csv').sort());
}

function setCell(p: {
  readonly header: Cells;
  readonly row: Cells;
  readonly column: string;
  readonly value: string;
}): Cells {
  const at = p.header.indexOf(p.column);
  return p.row.map((cell, index) => (index === at ? p.value : cell));
}

const cellOf = (header: Cells, row: Cells, column: string) => row[header.indexOf(column)] ?? '';

/** Where the people of a package stand: file -> the column with their sourcedId. */
const personColumns = [
  ['users.csv', 'sourcedId'],
  ['roles.csv', 'userSourcedId'],
  ['enrollments.csv', 'userSourcedId'],
] as const;

/** Takes people out of every file. */
function remove(p: Place, isGone: (id: string) => boolean): void {
  for (const [name, column] of personColumns) {
    if (!p.files.has(name)) continue;
    change(p, name, ({ header, rows }) => [
      header,
      ...rows.filter((row) => !isGone(cellOf(header, row, column))),
    ]);
  }
}

function usersOf(p: Place): readonly string[] {
  const [header, ...rows] = parse(textOf(p.files, 'users.csv'));
  return header === undefined ? [] : rows.map((row) => cellOf(header, row, 'sourcedId'));
}

function changeUser(
  p: Place,
  column: string,
  value: string,
  earn: (id: string) => void = () => {},
): void {
  change(p, 'users.csv', ({ header, rows }) => {
    const at = p.random.between(0, Math.max(0, rows.length - 1));
    return [
      header,
      ...rows.map((row, index) => {
        if (index !== at) return row;
        earn(cellOf(header, row, 'sourcedId'));
        return setCell({ header, row, column, value });
      }),
    ];
  });
}

export const csvMutations: readonly Mutation[] = [
  ...anyFile,
  {
    name: 'cut anywhere',
    apply: (p) => {
      const name = pickTable(p);
      const bytes = p.files.get(name) ?? Buffer.alloc(0);
      const cut = bytes.subarray(0, p.random.between(0, Math.max(0, bytes.length - 2)));
      // Nothing in the format can tell a cut between two rows: that is left to the limits.
      if (cut.length === 0 || /[\r\n]$/.test(cut.toString('latin1'))) p.earned.mass.add('*');
      // A row that lost its last cells says what it says.
      else if (name !== 'users.csv') p.earned.mass.add('*');
      p.files.set(name, cut);
    },
  },
  { name: 'a vanished file', apply: (p) => void p.files.delete(pickFile(p)) },
  {
    name: 'a header and no rows',
    apply: (p) => {
      p.earned.mass.add('*');
      change(p, pickTable(p), ({ header }) => [header]);
    },
  },
  {
    name: 'a renamed column',
    apply: (p) =>
      change(p, pickTable(p), ({ header, rows }) => {
        const at = p.random.between(0, header.length - 1);
        // Such as the first day of a group, or which class is the home class.
        p.earned.mass.add('*');
        return [header.map((name, index) => (index === at ? `${name}X` : name)), ...rows];
      }),
  },
  {
    name: 'two columns swapped below their headers',
    apply: (p) =>
      change(p, pickTable(p), ({ header, rows }) => {
        p.earned.mass.add('*');
        const [one = 0, two = 0] = p.random.sample([...header.keys()], 2);
        const swap = (cells: Cells) =>
          cells.map((cell, index) =>
            index === one ? (cells[two] ?? '') : index === two ? (cells[one] ?? '') : cell,
          );
        return [header, ...rows.map(swap)];
      }),
  },
  {
    name: 'columns in another order, with their headers',
    apply: (p) =>
      change(p, pickTable(p), ({ header, rows }) => {
        const order = shuffled(p.random, [...header.keys()]);
        return [header, ...rows].map((row) => order.map((at) => row[at] ?? ''));
      }),
  },
  {
    name: 'nameless columns at the end',
    apply: (p) => change(p, pickTable(p), ({ header, rows }) => [[...header, '', ''], ...rows]),
  },
  {
    name: 'every row twice',
    apply: (p) =>
      change(p, pickTable(p), ({ header, rows }) => [header, ...rows.flatMap((row) => [row, row])]),
  },
  {
    name: 'rows in another order',
    apply: (p) =>
      change(p, pickTable(p), ({ header, rows }) => [header, ...shuffled(p.random, rows)]),
  },
  {
    name: 'empty rows between',
    apply: (p) => {
      const name = pickTable(p);
      put(p.files, name, textOf(p.files, name).replaceAll('\r\n', '\r\n\r\n'));
    },
  },
  {
    name: 'line ends of an old Mac',
    apply: (p) => {
      const name = pickFile(p);
      put(p.files, name, textOf(p.files, name).replaceAll('\r\n', '\r'));
    },
  },
  {
    name: 'line ends of Unix',
    apply: (p) => {
      const name = pickFile(p);
      put(p.files, name, textOf(p.files, name).replaceAll('\r\n', '\n'));
    },
  },
  {
    name: 'a bulk file with status and dates filled',
    apply: (p) =>
      change(p, pickTable(p), ({ header, rows }) => [
        header,
        ...rows.map((row) =>
          setCell({
            header,
            row: setCell({ header, row, column: 'status', value: 'active' }),
            column: 'dateLastModified',
            value: '2026-11-02T05:00:00.000Z',
          }),
        ),
      ]),
  },
  {
    name: 'a user whose role nobody knows',
    apply: (p) => changeUser(p, 'role', 'wizard', (id) => p.earned.moved.add(id)),
  },
  {
    name: 'a user without sourcedId',
    apply: (p) => changeUser(p, 'sourcedId', ''),
  },
  {
    name: 'a user with a sourcedId of the shape of a civil number',
    apply: (p) => changeUser(p, 'sourcedId', '0102030000'),
  },
  {
    name: 'a user in a school that is not there',
    apply: (p) => changeUser(p, 'orgSourcedIds', 'nowhere', (id) => p.earned.leavers.add(id)),
  },
  {
    name: 'two users with one sourcedId',
    apply: (p) => {
      const [one = '', two = ''] = p.random.sample(usersOf(p), 2);
      change(p, 'users.csv', ({ header, rows }) => [
        header,
        ...rows.map((row) => {
          if (cellOf(header, row, 'sourcedId') !== one) return row;
          p.earned.leavers.add(one);
          p.earned.moved.add(two);
          return setCell({ header, row, column: 'sourcedId', value: two });
        }),
      ]);
    },
  },
  {
    name: 'a course that is nowhere, and a term that is nowhere',
    apply: (p) =>
      change(p, 'classes.csv', ({ header, rows }) => [
        header,
        ...rows.map((row) =>
          setCell({
            header,
            row: setCell({ header, row, column: 'courseSourcedId', value: 'K99' }),
            column: 'termSourcedIds',
            value: 'T99',
          }),
        ),
      ]),
  },
  {
    name: 'a manifest that calls a file absent',
    apply: (p) => {
      const name = pickTable(p).replace('.csv', '');
      put(
        p.files,
        'manifest.csv',
        textOf(p.files, 'manifest.csv').replace(`file.${name},bulk`, `file.${name},absent`),
      );
    },
  },
  {
    name: 'a manifest that calls a file a delta',
    apply: (p) => {
      const name = pickTable(p).replace('.csv', '');
      put(
        p.files,
        'manifest.csv',
        textOf(p.files, 'manifest.csv').replace(`file.${name},bulk`, `file.${name},delta`),
      );
    },
  },
  {
    name: 'new sourcedIds and UNI-IDs for everybody',
    apply: (p) => {
      p.earned.mass.add('*');
      for (const [name, column] of personColumns) {
        if (!p.files.has(name)) continue;
        change(p, name, ({ header, rows }) => [
          header,
          ...rows.map((row) => {
            const renamed = setCell({
              header,
              row,
              column,
              value: `ny${cellOf(header, row, column)}`,
            });
            const ids = cellOf(header, row, 'userIds').replace('UNI-ID:', 'UNI-ID:ny');
            return setCell({ header, row: renamed, column: 'userIds', value: ids });
          }),
        ]);
      }
    },
  },
  {
    name: 'half of the people gone',
    apply: (p) => {
      p.earned.mass.add('*');
      const gone = new Set(usersOf(p).filter(() => p.random.chance(0.5)));
      remove(p, (id) => gone.has(id));
    },
  },
  {
    name: 'somebody who leaves',
    apply: (p) => {
      const users = usersOf(p);
      if (users.length === 0) return;
      const leaver = p.random.pick(users);
      p.earned.leavers.add(leaver);
      remove(p, (id) => id === leaver);
    },
  },
];
