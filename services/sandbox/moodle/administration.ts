import * as z from 'zod';
import { addModule } from './courses.ts';
import type { State } from './state.ts';

/**
 * What an administrator does on the site itself, where no web service reaches: one JSON object a
 * request, POSTed to `/__sandbox/administration` (204; 400 with a sentence when it is not understood).
 *
 * - `{"do": "set", ...}` switches `webServices`, `restProtocol`, `cliMaintenance`, `webMaintenance`,
 *   `mailBroken`
 * - `{"do": "install-auth", "name": "oidc"}` installs a sign-in plugin
 * - `{"do": "add-profile-field", "shortname": "unilogin", "name": "UNI-login"}`
 * - `{"do": "add-page", "course": "<shortname>", "section": 1, "name": "..."}` is a teacher's doing
 */
const deed = z.discriminatedUnion('do', [
  z.strictObject({
    do: z.literal('set'),
    webServices: z.boolean().optional(),
    restProtocol: z.boolean().optional(),
    cliMaintenance: z.boolean().optional(),
    webMaintenance: z.boolean().optional(),
    mailBroken: z.boolean().optional(),
  }),
  z.strictObject({ do: z.literal('install-auth'), name: z.string().regex(/^[a-z0-9_]+$/) }),
  z.strictObject({ do: z.literal('add-profile-field'), shortname: z.string(), name: z.string() }),
  z.strictObject({
    do: z.literal('add-page'),
    course: z.string(),
    section: z.number().int().min(0),
    name: z.string(),
  }),
]);

export type MoodleDeed = z.infer<typeof deed>;

/** Null when it was done, else what is wrong with it. */
export function administer(p: { readonly state: State; readonly body: string }): string | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(p.body);
  } catch {
    return 'The body must be one JSON object.';
  }
  const read = deed.safeParse(parsed);
  if (!read.success) return z.prettifyError(read.error);
  return perform(p.state, read.data);
}

function perform(state: State, what: MoodleDeed): string | null {
  const settings = state.settings();
  switch (what.do) {
    case 'set':
      state.setSettings({
        ...settings,
        webServices: what.webServices ?? settings.webServices,
        restProtocol: what.restProtocol ?? settings.restProtocol,
        cliMaintenance: what.cliMaintenance ?? settings.cliMaintenance,
        webMaintenance: what.webMaintenance ?? settings.webMaintenance,
        mailBroken: what.mailBroken ?? settings.mailBroken,
      });
      return null;
    case 'install-auth':
      state.setSettings({
        ...settings,
        extraAuths: [...new Set([...settings.extraAuths, what.name])],
      });
      return null;
    case 'add-profile-field':
      state.profileFields.put({ shortname: what.shortname, name: what.name });
      return null;
    case 'add-page': {
      const course = state.courses.find('shortname', what.course.toLowerCase())[0];
      if (course === undefined) return `There is no course "${what.course}".`;
      const { section, name } = what;
      const p = { course: course.id, section, modname: 'page', name } as const;
      state.store.transaction(() => addModule(state, p));
      return null;
    }
  }
}
