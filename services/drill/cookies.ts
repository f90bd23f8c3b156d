/**
 * The cookies of one browser at one realm. Path and domain are not looked at, since such a browser
 * never goes anywhere else.
 */
export interface Cookies {
  /** For the header `cookie`; empty when there are none. */
  header(): string;
  /** Takes what an answer set, and forgets what it took back. */
  take(setCookie: readonly string[]): void;
}

export function openCookies(): Cookies {
  const jar = new Map<string, string>();
  return {
    header: () => [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
    take(setCookie) {
      for (const line of setCookie) {
        const [pair = '', ...attributes] = line.split(';');
        const at = pair.indexOf('=');
        if (at < 1) continue;
        const name = pair.slice(0, at).trim();
        const expired = attributes.some((attribute) => {
          const [key = '', value = ''] = attribute.trim().split('=');
          if (key.toLowerCase() === 'max-age') return Number(value) <= 0;
          return key.toLowerCase() === 'expires' && Date.parse(value) <= Date.now();
        });
        if (expired) jar.delete(name);
        else jar.set(name, pair.slice(at + 1).trim());
      }
    },
  };
}
