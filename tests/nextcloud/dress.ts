import type { RecordedRequest } from '../support/replay.ts';

const passwords: Readonly<Record<string, string>> = {
  '<password>': 'Stribet-Sommerfugl-7',
  '<password:new>': 'Prikket-Sommerfugl-9',
  '<password:too-short>': 'kort1',
  '<password:too-common>': '1234567890',
};

/** Turns the labels of a Nextcloud recording into headers and passwords. */
export function dressNextcloud(p: {
  readonly user: string;
  readonly password: string;
  readonly appPassword: string;
}): (request: RecordedRequest) => RecordedRequest {
  return (request) => {
    const { Authorization: label = 'none', ...headers } = request.headers;
    const [how, who = ''] = label.split(/:(.*)/s);
    const secrets: Readonly<Record<string, string>> = {
      basic: who === p.user ? p.password : (passwords['<password>'] ?? ''),
      'basic-wrong-password': 'Forkert-Flodhest-1',
      'app-password': p.appPassword,
    };
    const secret = secrets[how ?? ''];
    const sent: Record<string, string> = { ...headers };
    if (secret !== undefined) {
      sent['Authorization'] = `Basic ${Buffer.from(`${who}:${secret}`).toString('base64')}`;
    }
    return { ...request, headers: sent, body: fillIn(request.body) };
  };
}

function fillIn(value: unknown): unknown {
  if (typeof value === 'string') return passwords[value] ?? value;
  if (Array.isArray(value)) return value.map(fillIn);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fillIn(one)]));
}
