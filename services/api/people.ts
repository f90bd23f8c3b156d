import { z } from 'zod';
import type { Explanation as Explained } from '../../provisioning/explain/explain.ts';
import { explain } from '../../provisioning/explain/explain.ts';
import { findPeople } from '../../provisioning/explain/find.ts';
import { readPolicyOrPreview } from '../../provisioning/policy/version.ts';
import { defineEndpoint } from './endpoint.ts';
import { Hold } from './holds.ts';
import { ApiError } from './problem.ts';
import { PlanId, Sentence, Time } from './shapes.ts';

const PersonId = z.uuid().toLowerCase();
const RecordState = z.enum(['present', 'future', 'ended', 'gone']);
const RowState = z.enum(['due', 'settled', 'failed']);
const Failure = z.object({ code: z.string(), detail: z.string() });

const Match = z
  .strictObject({
    id: PersonId,
    name: z.string().meta({ description: 'Protected people by alias' }),
    username: z.string().nullable(),
    institutions: z.array(z.string()),
  })
  .meta({ id: 'PersonMatch' });
export type Match = z.infer<typeof Match>;

export const getPeople = defineEndpoint({
  method: 'get',
  path: '/api/v1/people',
  role: 'reader',
  id: 'findPeople',
  summary: 'People by username, UNI-ID, id, or a part of the name that is shown',
  query: z.strictObject({
    search: z.string().min(1).max(100),
    limit: z.coerce.number().int().min(1).max(100).default(25),
  }),
  answer: z.strictObject({ items: z.array(Match), more: z.boolean() }).meta({ id: 'PeopleFound' }),
  run: async ({ context: { database, tenant }, query }) => {
    const { search: text, limit } = query;
    const found = await findPeople({ database, tenant, text, limit: limit + 1 });
    const items = found.slice(0, limit);
    return {
      items: items.map((one) => ({ ...one, institutions: [...one.institutions] })),
      more: found.length > limit,
    };
  },
});

const Account = z.strictObject({
  key: z.string(),
  state: RowState,
  open: z.boolean().meta({ description: 'Whether one may sign in, by the desired state' }),
  confirmed: z.boolean(),
  body: z.array(z.strictObject({ field: z.string(), value: z.string() })),
  attempts: z.int(),
  dueAt: Time,
  beingWritten: z.boolean(),
  failure: Failure.extend({ outage: z.boolean().optional(), sentence: Sentence }).nullable(),
  triedAt: Time.nullable().meta({ description: 'The last call, whatever came of it' }),
  settledAt: Time.nullable().meta({ description: 'The last call that the target confirmed' }),
  changedAt: Time,
  scheduledAt: Time.nullable(),
  startPassword: z.boolean().meta({
    description: 'Whether it has one, which can be set once more while the account is open',
  }),
  scheduledAction: z.enum(['close', 'delete', 'change']).nullable(),
  inactiveSince: Time.nullable(),
  waitsFor: z.array(z.string()),
  blockedBy: z.array(z.string()),
  decided: z
    .strictObject({
      plan: PlanId,
      createdAt: Time,
      committedAt: Time.nullable(),
      action: z.string().nullable(),
      reason: z.string().nullable(),
      by: z.string().nullable(),
    })
    .nullable(),
});

const Place = z.strictObject({
  target: z.string(),
  kind: z.string(),
  key: z.string(),
  title: z.string(),
  state: RowState,
  open: z.boolean(),
  failure: Failure.nullable(),
  scheduledAt: Time.nullable(),
  through: z.array(z.string()),
  roles: z.array(z.string()),
  because: Sentence.meta({ description: 'By which membership or affiliation' }),
});

const Explanation = z
  .strictObject({
    person: z.strictObject({
      id: PersonId,
      name: z.string(),
      protected: z.boolean(),
      withoutAlias: z.boolean(),
      username: z.string().nullable(),
      present: z.boolean(),
    }),
    feed: z.array(
      z.strictObject({
        source: z.string(),
        key: z.string(),
        format: z.string().nullable(),
        snapshot: z.uuid(),
        changedAt: Time.nullable(),
        state: z.enum(['present', 'gone']),
        goneAt: Time.nullable(),
        mayLogIn: z.boolean(),
      }),
    ),
    recognition: z.strictObject({
      since: Time,
      evidence: z.array(
        z.strictObject({ system: z.string(), value: z.string().nullable(), since: Time }),
      ),
    }),
    affiliations: z.array(
      z.strictObject({
        source: z.string(),
        institution: z.string(),
        institutionName: z.string().nullable(),
        kind: z.string(),
        roles: z.array(z.string()),
        grade: z.string().nullable(),
        from: z.string().nullable(),
        to: z.string().nullable(),
        state: RecordState,
        goneAt: Time.nullable(),
      }),
    ),
    memberships: z.array(
      z.strictObject({
        source: z.string(),
        group: z.string(),
        groupName: z.string().nullable(),
        institution: z.string(),
        kind: z.string(),
        role: z.string(),
        main: z.boolean(),
        changedAt: Time.nullable(),
        state: RecordState,
        goneAt: Time.nullable(),
      }),
    ),
    packages: z.array(
      z.strictObject({
        name: z.string(),
        gives: z.array(z.string()),
        fired: z.boolean(),
        checks: z.array(
          z.strictObject({
            institution: z.string(),
            kind: z.string(),
            unmet: z.array(
              z.strictObject({
                list: z.string(),
                wanted: z.array(z.string()),
                has: z.array(z.string()),
              }),
            ),
          }),
        ),
      }),
    ),
    targets: z.array(
      z.strictObject({
        target: z.string(),
        type: z.string(),
        given: z.boolean().meta({ description: 'Whether a package gives an account there' }),
        outage: z.string().nullable(),
        answeredAt: Time.nullable(),
        account: Account.nullable(),
        places: z.array(Place),
      }),
    ),
    pending: z.array(
      z.strictObject({
        plan: PlanId,
        target: z.string(),
        action: z.string(),
        reason: z.string(),
        held: z.string().nullable(),
      }),
    ),
    holds: z.array(Hold),
    kept: z
      .array(
        z.strictObject({
          kind: z.enum(['keep', 'legal-hold']),
          until: z.iso.date().nullable(),
          reason: z.string(),
          by: z.string(),
        }),
      )
      .meta({ description: 'What an operator keeps against the feed' }),
    findings: z
      .array(
        z.strictObject({ code: z.string(), target: z.string().nullable(), sentence: Sentence }),
      )
      .meta({ description: 'Plain answers' }),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.infer<typeof Explanation>;

export const getExplanation = defineEndpoint({
  method: 'get',
  path: '/api/v1/people/{id}/explanation',
  role: 'reader',
  id: 'explainPerson',
  summary: 'From the feed to every target: what a person has, why, and who decided',
  params: z.strictObject({ id: PersonId }),
  answer: Explanation,
  problems: ['person-unknown'],
  run: async ({ context, params: { id } }) => {
    const { database, tenant, targets } = context;
    const policy = await readPolicyOrPreview({ database, tenant });
    const explained =
      policy === null
        ? null
        : await explain({
            database,
            tenant,
            policy: policy.policy,
            targets,
            person: id,
            now: new Date(),
          });
    if (explained !== null) return toJson(explained);
    throw new ApiError({
      code: 'person-unknown',
      detail: `There is no person ${id}. Search under /api/v1/people.`,
    });
  },
});

function toJson(explained: Explained): Explanation {
  return Explanation.parse(JSON.parse(JSON.stringify(explained)));
}
