import { asReplacement } from '../civil.ts';
import type { Diagnostic, PersonId, PersonRecord } from '../record.ts';
import { cleanText, looksCivil } from '../text.ts';
import type { Element } from './element.ts';
import { childOf, textOf } from './element.ts';

/** Makes the diagnostic of a person that cannot be read. */
export type Complaint = (code: string, field: string, message: string) => Diagnostic;

/**
 * Person of InstitutionPerson and of ContactPerson. Version 6 keeps the UserId in a neighbouring
 * UNILogin element. A protected person is shown by alias or not at all; a person of whom the
 * document does not say whether they are protected is not read.
 */
export function readIdentity(p: {
  readonly element: Element;
  readonly complain: Complaint;
}):
  | { readonly record: PersonRecord; readonly key: string; readonly civil: PersonId | null }
  | { readonly record: null; readonly key: string | null; readonly diagnostic: Diagnostic } {
  const person = childOf(p.element, 'Person');
  const key = textOf(person, 'UserId') ?? textOf(childOf(p.element, 'UNILogin'), 'UserId');
  const refuse = (code: string, field: string, message: string) => ({
    record: null,
    key: code === 'user-id-civil' ? null : key,
    diagnostic: p.complain(code, field, message),
  });
  if (key === null) return refuse('user-id-missing', 'UserId', 'A person without UserId.');
  if (looksCivil(key)) {
    return refuse('user-id-civil', 'UserId', 'A UserId has the shape of a civil number.');
  }
  if (person === null) return refuse('person-missing', 'Person', 'Person is missing.');
  const flag = cleanText(person.attributes['protected'])?.toLowerCase();
  const isProtected = flag === 'true' || flag === '1';
  if (!isProtected && flag !== 'false' && flag !== '0') {
    return refuse('protection-unknown', 'protected', 'Not said whether the person is protected.');
  }
  const given = textOf(person, isProtected ? 'AliasFirstName' : 'FirstName');
  const family = textOf(person, isProtected ? 'AliasFamilyName' : 'FamilyName');
  if (!isProtected && given === null && family === null) {
    return refuse('name-missing', 'FirstName', 'A person without name who is not protected.');
  }
  const email = isProtected ? null : textOf(person, 'EmailAddress');
  const record: PersonRecord = {
    entity: 'person',
    key,
    ids: [{ system: 'uni-id', value: key }],
    protected: isProtected,
    given,
    family,
    email,
    mayLogIn: true,
  };
  return { record, key, civil: civilOf({ person, uniLogin: childOf(p.element, 'UNILogin') }) };
}

/** Version 6 has the number in UNILogin too, and no type. */
function civilOf(p: {
  readonly person: Element;
  readonly uniLogin: Element | null;
}): PersonId | null {
  const number =
    childOf(p.person, 'CivilRegistrationNumber') ?? childOf(p.uniLogin, 'CivilRegistrationNumber');
  const evidence = number?.evidence ?? null;
  const type = textOf(p.person, 'CivilRegistrationNumberType');
  return evidence !== null && type === 'CPR_REPLACEMENT_ID' ? asReplacement(evidence) : evidence;
}
