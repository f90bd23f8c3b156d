/**
 * Letters that Unicode does not take apart the way Danes write them, or at all. They must go first:
 * `å` decomposes into `a` and a ring, so normalising before would give `a` instead of `aa`.
 */
const letters: Readonly<Record<string, string>> = {
  æ: 'ae',
  ǽ: 'ae',
  ø: 'oe',
  ǿ: 'oe',
  å: 'aa',
  ǻ: 'aa',
  ð: 'd',
  þ: 'th',
  ß: 'ss',
  ł: 'l',
  đ: 'd',
  ı: 'i',
  œ: 'oe',
  ŋ: 'ng',
  ħ: 'h',
  ŧ: 't',
  ĸ: 'q',
};

const letterPattern = new RegExp(`[${Object.keys(letters).join('')}]`, 'gu');

/**
 * Lower-case ASCII for identifiers: `Ågård` and `Aagaard` both become `aagaard`. Composes first
 * (names from macOS arrive decomposed), then the table, then drops all marks; what is still not
 * ASCII (other scripts, symbols) is left out. Spaces and ASCII punctuation stay.
 */
export function transliterate(text: string): string {
  return text
    .normalize('NFC')
    .toLowerCase()
    .normalize('NFC')
    .replace(letterPattern, (letter) => letters[letter] ?? '')
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\x20-\x7e]/gu, '');
}
