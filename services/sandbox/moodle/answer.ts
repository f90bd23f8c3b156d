import type { MoodleFailure } from './failure.ts';

/**
 * Which keys an XML answer names although JSON leaves them out: XML writes every key of the return
 * description, absent ones as null (recordings moodle-4.5.6/01, 03).
 */
export interface Shape {
  /** Key -> what stands there when the answer has none. */
  readonly keys: readonly (readonly [string, 'null' | 'list'])[];
}

export function renderJson(value: unknown): string {
  return JSON.stringify(value);
}

export function renderFailureJson(failure: MoodleFailure): string {
  return JSON.stringify({
    exception: failure.exception,
    ...(failure.errorcode === null ? {} : { errorcode: failure.errorcode }),
    message: failure.message,
  });
}

const declaration = '<?xml version="1.0" encoding="UTF-8" ?>\n';

export function renderXml(p: { readonly value: unknown; readonly shape: Shape | null }): string {
  return `${declaration}<RESPONSE>\n${p.value === null ? '' : node(p.value, p.shape)}</RESPONSE>\n`;
}

export function renderFailureXml(failure: MoodleFailure): string {
  const code =
    failure.errorcode === null ? '' : `<ERRORCODE>${escapeXml(failure.errorcode)}</ERRORCODE>\n`;
  return (
    `${declaration}<EXCEPTION class="${failure.exception}">\n${code}` +
    `<MESSAGE>${escapeXml(failure.message)}</MESSAGE>\n</EXCEPTION>\n`
  );
}

/** The shape belongs to the objects at the top, or to those of the list at the top. */
function node(value: unknown, shape: Shape | null): string {
  if (value === null || value === undefined) return '<VALUE null="null"/>\n';
  if (Array.isArray(value)) {
    return `<MULTIPLE>\n${value.map((one) => node(one, shape)).join('')}</MULTIPLE>\n`;
  }
  if (typeof value === 'object') return single(value as Record<string, unknown>, shape);
  const text = typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
  return `<VALUE>${escapeXml(text)}</VALUE>\n`;
}

function single(value: Record<string, unknown>, shape: Shape | null): string {
  const filled =
    shape === null
      ? Object.entries(value)
      : shape.keys.map(([key, absent]) => {
          const given = value[key];
          return [key, given === undefined ? (absent === 'list' ? [] : null) : given] as const;
        });
  const keys = filled.map(([key, one]) => `<KEY name="${key}">${node(one, null)}</KEY>\n`);
  return `<SINGLE>\n${keys.join('')}</SINGLE>\n`;
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
