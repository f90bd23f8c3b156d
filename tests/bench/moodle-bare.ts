import pLimit from 'p-limit';
import { Agent, request } from 'undici';
import type {
  MoodleAccount,
  MoodleCohort,
  MoodleCourse,
  ResourceKind,
} from '../../provisioning/policy/resource.ts';
import { encodeForm, type FormValue } from '../../provisioning/target/moodle/http.ts';
import type { Load } from './moodle.ts';

/** Writes a load as fast as Moodle takes it, and looks at nothing. Throws at the first refusal. */
export async function writeBarely<T>(p: {
  readonly site: { readonly url: string; readonly token: string };
  readonly load: Load;
  readonly time: (work: (kind: ResourceKind) => Promise<void>) => Promise<T>;
}): Promise<T> {
  const { load } = p;
  const agent = new Agent({ connections: 4 });
  const limit = pLimit(4);
  // Two batches of courses at once are a deadlock in Moodle's own tables (seen on 4.5.6).
  const alone = pLimit(1);
  const ids = new Map<string, number>();

  async function call(name: string, params: Readonly<Record<string, FormValue>>): Promise<unknown> {
    const form = { wstoken: p.site.token, wsfunction: name, moodlewsrestformat: 'json', ...params };
    const response = await request(`${p.site.url}/webservice/rest/server.php`, {
      dispatcher: agent,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: encodeForm(form),
    });
    const answer = await response.body.json();
    if (answer !== null && typeof answer === 'object' && 'exception' in answer) {
      throw new Error(`${name}: ${JSON.stringify(answer)}`);
    }
    return answer;
  }

  async function inBatches<I>(
    items: readonly I[],
    size: number,
    send: (batch: readonly I[]) => Promise<unknown>,
    turns: typeof limit = limit,
  ): Promise<void> {
    const batches = [];
    for (let at = 0; at < items.length; at += size) batches.push(items.slice(at, at + size));
    await Promise.all(batches.map((batch) => turns(() => send(batch))));
  }

  /** Makes things in batches of 50 and remembers their numbers by key. */
  async function make<B>(
    kind: ResourceKind,
    name: string,
    params: (fields: readonly FormValue[]) => Readonly<Record<string, FormValue>>,
    fields: (body: B, key: string) => FormValue,
  ): Promise<readonly (readonly [string, B])[]> {
    const rows = [...(load.rows.get(kind) ?? [])] as unknown as (readonly [string, B])[];
    const send = async (batch: readonly (readonly [string, B])[]): Promise<void> => {
      const made = await call(name, params(batch.map(([key, body]) => fields(body, key))));
      for (const [index, one] of (made as { readonly id: number }[]).entries()) {
        ids.set(`${kind}/${batch[index]?.[0] ?? ''}`, one.id);
      }
    };
    await inBatches(rows, 50, send, kind === 'course' ? alone : limit);
    return rows;
  }

  const idOf = (kind: ResourceKind, key: string): number => ids.get(`${kind}/${key}`) ?? 0;

  async function write(kind: ResourceKind): Promise<void> {
    if (kind === 'category') {
      await make(
        kind,
        'core_course_create_categories',
        (categories) => ({ categories }),
        (_, key) => ({ name: key, idnumber: `bare:${key}` }),
      );
    } else if (kind === 'account') {
      await make<MoodleAccount>(
        kind,
        'core_user_create_users',
        (users) => ({ users }),
        ({ active: _, username, firstname, lastname, email, auth }, key) => ({
          username,
          firstname,
          lastname,
          email,
          auth,
          idnumber: `bare:${key}`,
        }),
      );
    } else if (kind === 'cohort') {
      const rows = await make<MoodleCohort>(
        kind,
        'core_cohort_create_cohorts',
        (cohorts) => ({ cohorts }),
        (body, key) => ({
          categorytype: { type: 'id', value: idOf('category', body.category) },
          name: body.name,
          idnumber: `bare:${key}`,
        }),
      );
      const members = rows.flatMap(([key, body]) =>
        body.members.map((one) => ({
          cohorttype: { type: 'id', value: idOf('cohort', key) },
          usertype: { type: 'id', value: idOf('account', one) },
        })),
      );
      await inBatches(members, 200, (batch) =>
        call('core_cohort_add_cohort_members', { members: batch }),
      );
    } else {
      const rows = await make<MoodleCourse>(
        kind,
        'core_course_create_courses',
        (courses) => ({ courses }),
        (body, key) => ({
          fullname: body.fullname,
          shortname: body.shortname,
          categoryid: idOf('category', body.category),
          idnumber: `bare:${key}`,
          startdate: 1_785_535_200,
          enddate: 1_817_070_840,
        }),
      );
      const enrolments = rows.flatMap(([key, body]) =>
        Object.keys(body.enrolments).map((one) => ({
          roleid: 5,
          userid: idOf('account', one),
          courseid: idOf('course', key),
        })),
      );
      await inBatches(enrolments, 300, (batch) =>
        call('enrol_manual_enrol_users', { enrolments: batch }),
      );
    }
  }

  try {
    return await p.time(write);
  } finally {
    await agent.close();
  }
}
