/** The declarative user profile: what is kept, what is refused, what is dropped without a word. */

import { Refusal, refuse } from './answer.ts';
import type { Json, ProfileAttribute, ProfileConfig, RealmDoc } from './state.ts';

export const basicAttributes = ['username', 'email', 'firstName', 'lastName'] as const;

const everybody = { view: ['admin', 'user'], edit: ['admin', 'user'] };

export function defaultProfile(): ProfileConfig {
  const person = { length: { max: 255 }, 'person-name-prohibited-characters': {} };
  const forUsers = { roles: ['user'] };
  return {
    attributes: [
      basic('username', {
        length: { min: 3, max: 255 },
        'username-prohibited-characters': {},
        'up-username-not-idn-homograph': {},
      }),
      { ...basic('email', { email: {}, length: { max: 255 } }), required: forUsers },
      { ...basic('firstName', person), required: forUsers },
      { ...basic('lastName', person), required: forUsers },
    ],
    groups: [
      {
        name: 'user-metadata',
        displayHeader: 'User metadata',
        displayDescription: 'Attributes, which refer to user metadata',
      },
    ],
  };
}

function basic(name: string, validations: Record<string, Json>): ProfileAttribute {
  return {
    name,
    displayName: `\${${name}}`,
    validations,
    permissions: everybody,
    multivalued: false,
  };
}

export function replaceProfile(p: {
  readonly realm: RealmDoc;
  readonly body: Json;
}): ProfileConfig {
  const attributes = (p.body['attributes'] ?? []) as ProfileAttribute[];
  const missing = ['username', 'email'].filter(
    (name) => !attributes.some((attribute) => attribute.name === name),
  );
  if (missing.length > 0) {
    const texts = missing.map((name) => `The attribute '${name}' can not be removed`);
    throw refuse(400, `[${texts.join(', ')}]`);
  }
  const twice = attributes.find(
    (attribute, index) => attributes.findIndex((other) => other.name === attribute.name) !== index,
  );
  if (twice !== undefined) {
    throw refuse(400, `[Duplicate attribute configuration with the name '${twice.name}']`);
  }
  const profile = { ...p.body, attributes } as unknown as ProfileConfig;
  p.realm.profile = profile;
  return profile;
}

/** Custom attributes that the realm keeps, in the order they were sent; blank and empty ones vanish. */
export function keptAttributes(p: {
  readonly realm: RealmDoc;
  readonly sent: Readonly<Record<string, unknown>>;
}): Record<string, string[]> {
  const { attributes, unmanagedAttributePolicy: policy } = p.realm.profile;
  const all = policy === 'ENABLED' || policy === 'ADMIN_EDIT';
  const declared = new Set(attributes.map((attribute) => attribute.name));
  const kept: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(p.sent)) {
    if ((basicAttributes as readonly string[]).includes(name)) continue;
    if (!all && !declared.has(name)) continue;
    const values = (Array.isArray(value) ? value : [value])
      .filter((one) => one !== null && one !== undefined)
      .map(String)
      .filter((one) => one.trim() !== '');
    if (values.length > 0) kept[name] = values;
  }
  return kept;
}

interface Fault {
  readonly field: string;
  readonly errorMessage: string;
  readonly params: readonly unknown[];
}

/** Throws the 400 that the values earn: one fault is an object, several are a list. */
export function validateProfile(p: {
  readonly realm: RealmDoc;
  readonly values: Readonly<Record<string, readonly string[]>>;
}): void {
  const faults = p.realm.profile.attributes.flatMap((attribute) =>
    faultsIn({ attribute, values: p.values[attribute.name] ?? [] }),
  );
  const [only] = faults;
  if (only === undefined) return;
  throw new Refusal({ status: 400, body: faults.length === 1 ? only : { errors: faults } });
}

function faultsIn(p: {
  readonly attribute: ProfileAttribute;
  readonly values: readonly string[];
}): Fault[] {
  const { name, validations = {}, multivalued } = p.attribute;
  const faults: Fault[] = [];
  const add = (errorMessage: string, ...params: unknown[]) =>
    faults.push({ field: name, errorMessage, params: [name, ...params] });
  const most = Number(validations['multivalued']?.['max'] ?? (multivalued === true ? Infinity : 1));
  if (p.values.length > most) add('error-invalid-multivalued-size', 0, most);
  for (const value of p.values) {
    if (value === '') continue;
    for (const [rule, config] of Object.entries(validations)) {
      const fault = judge({ rule, config, value });
      if (fault !== null) add(...fault);
    }
  }
  return faults;
}

const usernameForbidden = /[<>&"'\s$%!#?§,;:*~/\\|^=[\]{}()`]/u;
const personForbidden = /[<>&"$%!#?§;*~/\\|^=[\]{}()\p{Cc}]/u;
const notLatin = /[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/u;

function judge(p: {
  readonly rule: string;
  readonly config: Json;
  readonly value: string;
}): [string, ...unknown[]] | null {
  const { config, rule, value } = p;
  if (rule === 'length') return judgeLength({ config, value });
  if (rule === 'email') {
    return /^[^\s@]+@[^\s@]+$/.test(value) ? null : ['error-invalid-email', value];
  }
  if (rule === 'username-prohibited-characters') {
    return usernameForbidden.test(value) ? ['error-username-invalid-character'] : null;
  }
  if (rule === 'up-username-not-idn-homograph') {
    return notLatin.test(value) ? ['error-username-invalid-character'] : null;
  }
  if (rule === 'person-name-prohibited-characters') {
    return personForbidden.test(value) ? ['error-person-name-invalid-character'] : null;
  }
  if (rule === 'pattern') {
    const pattern = String(config['pattern']);
    return new RegExp(pattern, 'u').test(value) ? null : ['error-pattern-no-match', pattern];
  }
  return null;
}

function judgeLength(p: {
  readonly config: Json;
  readonly value: string;
}): [string, ...unknown[]] | null {
  const min = p.config['min'] === undefined ? null : Number(p.config['min']);
  const max = p.config['max'] === undefined ? null : Number(p.config['max']);
  const short = min !== null && p.value.length < min;
  const long = max !== null && p.value.length > max;
  if (!short && !long) return null;
  if (min !== null && max !== null) return ['error-invalid-length', min, max];
  return [short ? 'error-invalid-length-too-short' : 'error-invalid-length-too-long', min, max];
}
