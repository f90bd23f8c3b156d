/** What a browser takes from the login page: where the form goes, and what it carries along. Pure. */

export interface LoginForm {
  /** Absolute. */
  readonly action: string;
  readonly hidden: Readonly<Record<string, string>>;
}

/**
 * The first form with a password field, whatever the theme calls it. Null when the page has none, or
 * when it would send the password to another origin.
 */
export function findLoginForm(p: {
  readonly html: string;
  /** Address of the page. */
  readonly page: string;
}): LoginForm | null {
  for (const [, head = '', inside = ''] of p.html.matchAll(
    /<form\b((?:[^>"']|"[^"]*"|'[^']*')*)>([\s\S]*?)<\/form>/gi,
  )) {
    const inputs = [...inside.matchAll(/<input\b((?:[^>"']|"[^"]*"|'[^']*')*)>/gi)].map(
      ([, tag = '']) => readAttributes(tag),
    );
    if (!inputs.some((input) => input.get('name') === 'password')) continue;
    const action = URL.parse(readAttributes(head).get('action') ?? '', p.page);
    if (action === null || action.origin !== new URL(p.page).origin) return null;
    const hidden = inputs.flatMap((input): (readonly [string, string])[] => {
      const name = input.get('name');
      if (name === undefined || input.get('type')?.toLowerCase() !== 'hidden') return [];
      return [[name, input.get('value') ?? '']];
    });
    return { action: action.href, hidden: Object.fromEntries(hidden) };
  }
  return null;
}

function readAttributes(tag: string): ReadonlyMap<string, string> {
  const found = tag.matchAll(/([^\s"'=/>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g);
  return new Map(
    [...found].map(([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      decodeEntities(double ?? single ?? bare ?? ''),
    ]),
  );
}

const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

function decodeEntities(text: string): string {
  return text.replace(/&(?:#x([\da-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return named[String(name).toLowerCase()] ?? whole;
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}
