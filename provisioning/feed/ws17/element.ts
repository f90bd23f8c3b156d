import type { PersonId } from '../record.ts';
import { cleanText } from '../text.ts';

/** One XML element with what is inside it; names are local names, whatever the namespace. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly line: number;
  readonly children: Element[];
  text: string;
  /** What a civil number was turned into, in the place of its text. */
  evidence?: PersonId | null;
}

/**
 * Elements that never enter memory beyond the parser: nothing downstream needs them (birth
 * date, addresses, telephones, photo, pupil number, and the passwords of version 6).
 */
export const unread: ReadonlySet<string> = new Set([
  'BirthDate',
  'Gender',
  'PhotoId',
  'Address',
  'HomePhoneNumber',
  'WorkPhoneNumber',
  'MobilePhoneNumber',
  'StudentNumber',
  'Occupation',
  'ShortName',
  'Location',
  'InitialPassword',
  'PasswordState',
]);

export function localName(name: string): string {
  const colon = name.indexOf(':');
  return colon === -1 ? name : name.slice(colon + 1);
}

export function childOf(element: Element | null, name: string): Element | null {
  return element?.children.find((child) => child.name === name) ?? null;
}

export function childrenOf(element: Element | null, name: string): readonly Element[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}

/** The cleaned text of a child; null where it is absent or empty. */
export function textOf(element: Element | null, name: string): string | null {
  return cleanText(childOf(element, name)?.text);
}
