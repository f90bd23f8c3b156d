import { invalidParameter } from './failure.ts';

/** A form as PHP reads it: `a[0][b]=c` becomes nested maps. */
export type Raw = string | Map<string, Raw>;

/** What is installed on the site, which decides whether some values are valid at all. */
export interface Installed {
  readonly auths: ReadonlySet<string>;
  readonly languages: ReadonlySet<string>;
  readonly themes: ReadonlySet<string>;
}

/** Reads one parameter or refuses it with `invalidparameter`; an absent one is undefined. */
export interface Param<T> {
  read(raw: Raw | undefined, installed: Installed): T;
}

/**
 * PHP's form parsing. Fields beyond `maxInputVars` are dropped without a word, as PHP does
 * (reference: a look-up of 1100 usernames answered 997 users on a server with the default 1000).
 */
export function parseForm(p: {
  readonly text: string;
  readonly maxInputVars: number;
}): Map<string, Raw> {
  const form = new Map<string, Raw>();
  let count = 0;
  for (const [name, value] of new URLSearchParams(p.text)) {
    count += 1;
    if (count > p.maxInputVars) break;
    setField(form, name, value);
  }
  return form;
}

function setField(form: Map<string, Raw>, name: string, value: string): void {
  const open = name.indexOf('[');
  const path =
    open <= 0
      ? [name]
      : [
          name.slice(0, open),
          ...[...name.slice(open).matchAll(/\[([^\]]*)\]/g)].map((m) => m[1] ?? ''),
        ];
  let at = form;
  for (const [depth, step] of path.entries()) {
    const key = step === '' && depth > 0 ? String(at.size) : step;
    if (depth === path.length - 1) {
      at.set(key, value);
      return;
    }
    const next = at.get(key);
    if (next instanceof Map) {
      at = next;
    } else {
      const made = new Map<string, Raw>();
      at.set(key, made);
      at = made;
    }
  }
}

function scalar<T>(parse: (text: string, installed: Installed) => T | undefined): Param<T> {
  return {
    read(raw, installed) {
      if (typeof raw !== 'string') throw invalidParameter();
      const value = parse(raw, installed);
      if (value === undefined) throw invalidParameter();
      return value;
    },
  };
}

/** PHP's strip_tags takes `<` for a tag only when no white space follows. */
const tagLike = /<(?=[^\s])/;

export const raw = scalar((text) => text);
export const trimmed = scalar((text) => (text === text.trim() ? text : undefined));
/** PARAM_TEXT and PARAM_NOTAGS: text that cleaning would change is refused. */
export const text = scalar((value) => (tagLike.test(value) ? undefined : value));
export const integer = scalar((value) => (/^-?\d{1,18}$/.test(value) ? Number(value) : undefined));
export const flag = scalar((value) => {
  if (['1', 'true', 'yes', 'on'].includes(value)) return true;
  return ['0', 'false', 'no', 'off', ''].includes(value) ? false : undefined;
});
export const username = scalar((value) => (/^[a-z0-9._@-]*$/.test(value) ? value : undefined));
export const alpha = scalar((value) => (/^[a-zA-Z]*$/.test(value) ? value : undefined));
export const auth = scalar((value, site) => (site.auths.has(value) ? value : undefined));
export const language = scalar((value, site) => (site.languages.has(value) ? value : undefined));
export const theme = scalar((value, site) =>
  value === '' || site.themes.has(value) ? value : undefined,
);

export function optional<T>(param: Param<T>): Param<T | undefined> {
  return {
    read: (value, installed) => (value === undefined ? undefined : param.read(value, installed)),
  };
}

export function orElse<T>(param: Param<T>, otherwise: T): Param<T> {
  return {
    read: (value, installed) => (value === undefined ? otherwise : param.read(value, installed)),
  };
}

export function list<T>(param: Param<T>): Param<readonly T[]> {
  return {
    read(value, installed) {
      if (!(value instanceof Map)) throw invalidParameter();
      return [...value.values()].map((one) => param.read(one, installed));
    },
  };
}

type Fields = Readonly<Record<string, Param<unknown>>>;
type ValueOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Param<infer T> ? T : never;
};

/** A structure: unknown keys are refused, as Moodle does (recording moodle-4.5.6/02, 07). */
export function structure<F extends Fields>(fields: F): Param<ValueOf<F>> {
  return {
    read(value, installed) {
      if (!(value instanceof Map)) throw invalidParameter();
      for (const key of value.keys()) {
        if (!Object.hasOwn(fields, key)) throw invalidParameter();
      }
      const out: Record<string, unknown> = {};
      for (const [key, param] of Object.entries(fields)) {
        const read = param.read(value.get(key), installed);
        if (read !== undefined) out[key] = read;
      }
      return out as ValueOf<F>;
    },
  };
}
