/**
 * Grades of both formats in the words of the roster: `0`-`10`, `DT`, `U1`-`U4`, `VU`, `other`.
 *
 *   WS17 trin         DT 0..10 U1..U4 VU Andet     as they are, Andet = other
 *   CEDS (OneRoster)  IT PR PK = DT, TK KG = 0, 01..10, 11 12 13 = U1 U2 U3, PS UG Other = other
 *   by hand           `5. klasse`, `5.`, `00`, `bh.kl.`, `børnehaveklasse`
 *
 * @returns the grade, or null where the text means nothing here
 */
export function readGrade(raw: string | null): string | null {
  if (raw === null) return null;
  const text = raw.toLowerCase().replace(/[\s.]|klasse|årgang|grade/g, '');
  const word = words.get(text);
  if (word !== undefined) return word;
  if (/^u[1-4]$/.test(text)) return text.toUpperCase();
  if (!/^0?\d{1,2}$/.test(text)) return null;
  const number = Number(text);
  if (number <= 10) return String(number);
  return number <= 13 ? `U${number - 10}` : null;
}

const words: ReadonlyMap<string, string> = new Map([
  ['dt', 'DT'],
  ['it', 'DT'],
  ['pr', 'DT'],
  ['pk', 'DT'],
  ['tk', '0'],
  ['kg', '0'],
  ['k', '0'],
  ['bhkl', '0'],
  ['*bhkl', '0'],
  ['børnehave', '0'],
  ['vu', 'VU'],
  ['andet', 'other'],
  ['other', 'other'],
  ['ps', 'other'],
  ['ug', 'other'],
]);

/** CEDS Entry Grade Level for OneRoster; what CEDS has no word for is written as it is. */
export function toCedsGrade(grade: string | null): string {
  if (grade === null) return '';
  if (grade === '0') return 'KG';
  if (grade === 'other') return 'Other';
  return /^[1-9]$/.test(grade) ? `0${grade}` : grade;
}
