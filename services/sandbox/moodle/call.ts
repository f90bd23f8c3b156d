import type { Shape } from './answer.ts';
import { loginRequired, noPermission } from './failure.ts';
import type { Param } from './params.ts';
import type { State, UserRow } from './state.ts';

/** One call of a web service function, after its token was accepted. */
export interface Call {
  readonly state: State;
  /** Scheme, host and port of the site, as it writes them into addresses. */
  readonly base: string;
  readonly user: UserRow;
  /** The site administrator may do everything, the other token's user nothing. */
  readonly admin: boolean;
  /** Names of the functions in the token's service. */
  readonly service: readonly string[];
}

export interface WebFunction {
  readonly shape: Shape | null;
  /** Reads the parameters and answers; throws MoodleFailure. */
  run(p: { readonly call: Call; readonly form: Parameters<Param<unknown>['read']>[0] }): unknown;
}

/** Ties a function's parameters to its doing, so that each is typed by its own description. */
export function webFunction<T>(p: {
  readonly params: Param<T>;
  readonly shape?: Shape;
  readonly run: (call: Call, params: T) => unknown;
}): WebFunction {
  return {
    shape: p.shape ?? null,
    run: ({ call, form }) => p.run(call, p.params.read(form, call.state.installed())),
  };
}

export function requireRight(call: Call, what: string): void {
  if (!call.admin) throw noPermission(what);
}

/** A course that the caller is not in is closed to it (recording moodle-4.5.6/23). */
export function requireCourse(call: Call): void {
  if (!call.admin) throw loginRequired();
}

/** Moodle's format_string: names come back escaped (recording moodle-4.5.6/28). */
export function escapeName(name: string): string {
  return name
    .replace(/&(?![a-zA-Z0-9#]{1,8};)/g, '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
