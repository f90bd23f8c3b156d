import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Request, Response } from 'express';

/**
 * A cookie that says no more than until when: an expiry time signed with a secret, so that nothing
 * needs to be remembered and a new secret ends every one that was given out. Scripts cannot read it,
 * and other sites cannot have it sent.
 */
export interface SignedCookie {
  give(p: { readonly request: Request; readonly response: Response }): void;
  takeBack(p: { readonly request: Request; readonly response: Response }): void;
  isIn(request: Request): boolean;
}

export function makeSignedCookie(p: {
  readonly name: string;
  readonly secret: string;
  /** What is signed beside the time: no other cookie of the same secret can stand in for this one. */
  readonly purpose: string;
  /** Browsers send it below this path only. */
  readonly path: string;
  readonly seconds: number;
}): SignedCookie {
  function sign(expires: number): string {
    const mac = createHmac('sha256', p.secret).update(`${p.purpose}.${expires}`);
    return mac.digest('base64url');
  }
  function options(request: Request) {
    return {
      httpOnly: true,
      sameSite: 'strict',
      secure: request.secure,
      path: p.path,
    } as const;
  }
  return {
    give({ request, response }) {
      const expires = Math.floor(Date.now() / 1000) + p.seconds;
      response.cookie(p.name, `${expires}.${sign(expires)}`, {
        ...options(request),
        maxAge: p.seconds * 1000,
      });
    },
    takeBack({ request, response }) {
      response.clearCookie(p.name, options(request));
    },
    isIn(request) {
      const cookies = (request.get('cookie') ?? '').split(';').map((part) => part.trim());
      const value = cookies.find((cookie) => cookie.startsWith(`${p.name}=`));
      const [, expires, signature] = /=(\d{1,12})\.([\w-]{43})$/.exec(value ?? '') ?? [];
      if (expires === undefined || signature === undefined) return false;
      if (Number(expires) * 1000 < Date.now()) return false;
      return isEqual(signature, sign(Number(expires)));
    },
  };
}

/** Takes as long for a wrong value as for a right one; hashing makes the lengths equal. */
export function isEqual(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
