/** A ledger full of made-up accounts, written by SQL, for measuring what comes behind the plan. */
import type { Lane } from '../../provisioning/policy/lane.ts';
import type { Database, Transaction } from '../../provisioning/store/database.ts';

/** The three stand-ins' targets, a third of the rows each. */
export const loadTargets = ['keycloak', 'nextcloud', 'moodle'] as const;

const person = `lpad(to_hex(n), 8, '0') || '-0000-4000-8000-000000000000'`;

const bodies = {
  keycloak: `jsonb_build_object('username', 'bruger' || n, 'given', 'Fornavn' || n, 'family', 'Efternavn',
    'email', null, 'active', true, 'attributes', '{}'::jsonb, 'groups', jsonb_build_array('school:100'), 'links', '[]'::jsonb)`,
  nextcloud: `jsonb_build_object('userId', 'bruger' || n, 'displayName', 'Fornavn' || n || ' Efternavn',
    'email', null, 'quota', '5 GB', 'language', 'da', 'active', true, 'groups', jsonb_build_array('school:100'))`,
  moodle: `jsonb_build_object('username', 'bruger' || n, 'firstname', 'Fornavn' || n, 'lastname', 'Efternavn',
    'email', 'bruger' || n || '@example.invalid', 'auth', 'manual', 'active', true)`,
} as const;

const school = {
  keycloak: {
    kind: 'group',
    body: { name: 'Prøveskolen', parent: null, active: true, attributes: {} },
  },
  nextcloud: {
    kind: 'group',
    body: { groupId: 's100', displayName: 'Prøveskolen', active: true },
  },
  moodle: { kind: 'category', body: { name: 'Prøveskolen', parent: null, active: true } },
} as const;

/** The school that all accounts belong to, in every target. */
export async function seedSchool(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly lane: Lane;
}): Promise<void> {
  await p.database.as(p.tenant, async (tx) => {
    for (const target of loadTargets) {
      const { kind, body } = school[target];
      await tx.execute(
        `insert into resource (tenant_id, target, kind, key, institution, title, desired, state, lane)
         values ($1, $2, $3, 'school:100', '100', 'Prøveskolen', $4, 'due', $5)`,
        [tx.tenant, target, kind, JSON.stringify(body), p.lane],
      );
    }
  });
}

/** The accounts of so many people, numbered from `from` on: three rows each. */
export async function seedAccounts(p: {
  readonly database: Database;
  readonly tenant: string;
  readonly lane: Lane;
  readonly from: number;
  readonly people: number;
}): Promise<void> {
  await p.database.as(p.tenant, async (tx) => {
    for (const target of loadTargets) await insertAccounts({ ...p, tx, target });
    if (p.people > 1000) await tx.execute('analyze resource');
  });
}

async function insertAccounts(p: {
  readonly tx: Transaction;
  readonly target: (typeof loadTargets)[number];
  readonly lane: Lane;
  readonly from: number;
  readonly people: number;
}): Promise<void> {
  await p.tx.execute(
    `insert into resource (tenant_id, target, kind, key, institution, title, needs, desired, state, lane)
     select $1, $2, 'account', 'person:' || ${person}, '100', 'Fornavn' || n,
            array[$3 || '/school:100'], ${bodies[p.target]}, 'due', $4
     from generate_series($5::int, $5::int + $6::int - 1) n`,
    [p.tx.tenant, p.target, school[p.target].kind, p.lane, p.from, p.people],
  );
}
