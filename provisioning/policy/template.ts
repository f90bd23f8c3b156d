/**
 * Name templates: plain text with fields in braces. There is a fixed set of fields for each place and
 * no expressions, so that a form can offer them.
 */

/** Fields of everything that belongs to an institution. */
export const schoolFields = ['institutionName', 'institutionNumber', 'schoolYear'] as const;

/** Fields of everything that belongs to a class, team or other group. */
export const groupFields = [
  ...schoolFields,
  'groupName',
  'groupId',
  'grade',
  'line',
  'subject',
  'startYear',
] as const;

type TemplateField = (typeof groupFields)[number];
type FieldValues = Readonly<Partial<Record<TemplateField, string | null>>>;

const braces = /\{([^{}]*)\}/gu;

function fieldsIn(template: string): readonly string[] {
  return [...template.matchAll(braces)].map((match) => match[1] ?? '');
}

/** What is wrong with a template, in words; null when it is fine. */
export function findTemplateFault(p: {
  readonly template: string;
  readonly fields: readonly string[];
}): string | null {
  const unknown = fieldsIn(p.template).find((field) => !p.fields.includes(field));
  if (unknown !== undefined) {
    return `unknown field {${unknown}}; the fields here are ${p.fields.map((f) => `{${f}}`).join(', ')}`;
  }
  if (/[{}]/u.test(p.template.replace(braces, ''))) return 'a brace without its partner';
  return null;
}

/** A field without a value leaves nothing behind; the caller cleans up the spaces around it. */
export function renderTemplate(p: {
  readonly template: string;
  readonly values: FieldValues;
}): string {
  return p.template.replace(braces, (_, field: TemplateField) => p.values[field] ?? '');
}

/** The calendar year in which a school year began: 2026 for `2026-2027`. */
export function startOfSchoolYear(schoolYear: string | null): number | null {
  const year = /^(\d{4})\b/u.exec(schoolYear ?? '')?.[1];
  return year === undefined ? null : Number(year);
}

/**
 * The year in which a class began in grade 0: stays the same while the class moves up, so that a name
 * made of it and the line needs no change at the rollover. Null outside grades 0 to 10.
 */
export function startYearOf(p: {
  readonly grade: string | null;
  readonly schoolYear: string | null;
}): string | null {
  const year = startOfSchoolYear(p.schoolYear);
  if (year === null || p.grade === null || !/^([0-9]|10)$/u.test(p.grade)) return null;
  return String(year - Number(p.grade));
}
