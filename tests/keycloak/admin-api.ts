/** The admin API without our connector in between, so that tests see what really stands there. */

export interface Raw {
  readonly url: string;
  readonly realm: string;
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    token?: string,
  ) => Promise<{ status: number; body: unknown; id: string }>;
}

export interface Server {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/** `path` is below /admin/realms/{realm} unless it starts with a slash. */
export function openRaw(p: { readonly server: Server; readonly realm: string }): Raw {
  const { server, realm } = p;
  let token: { readonly value: Promise<string>; readonly at: number } | null = null;
  const freshToken = () => {
    if (token === null || Date.now() - token.at > 30_000) token = { value: ask(), at: Date.now() };
    return token.value;
  };
  const ask = async () => {
    const answer = await fetch(`${server.url}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'password',
        client_id: 'admin-cli',
        username: server.user,
        password: server.password,
      }),
    });
    const { access_token } = (await answer.json()) as { access_token: string };
    return access_token;
  };
  return {
    url: server.url,
    realm,
    async call(method, path, body, given) {
      const full = path.startsWith('/') ? path : `/admin/realms/${realm}${path && `/${path}`}`;
      const answer = await fetch(`${server.url}${full}`, {
        method,
        headers: {
          authorization: `Bearer ${given ?? (await freshToken())}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return {
        status: answer.status,
        body: text === '' ? null : JSON.parse(text),
        id: answer.headers.get('location')?.split('/').at(-1) ?? '',
      };
    },
  };
}

export function rowsOf(answer: { readonly body: unknown }): Record<string, unknown>[] {
  if (!Array.isArray(answer.body)) throw new Error(`not a list: ${JSON.stringify(answer.body)}`);
  return answer.body as Record<string, unknown>[];
}
