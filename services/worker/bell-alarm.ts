import type { Logger } from 'pino';
import type { Readiness } from './readiness.ts';

/** How often it is looked whether everybody will be ready, in ms. */
export const lookEveryMs = 60_000;

/**
 * Says in the log when people will be missing something at the bell, and when that is over: once each,
 * and not at every look. Counts and codes only.
 */
export function watchBell(p: {
  readonly read: () => Promise<Readiness>;
  readonly everyMs: number;
  readonly log: Pick<Logger, 'warn' | 'info'>;
  readonly onError: (error: Error) => void;
}): AsyncDisposable {
  let late = false;
  let closing = false;

  async function look(): Promise<void> {
    const readiness = await p.read();
    if (closing || readiness.late === late) return;
    late = readiness.late;
    if (late) p.log.warn(describe(readiness), 'somebody will not be ready for the bell');
    else p.log.info(describe(readiness), 'everybody will be ready for the bell again');
  }

  let looking: Promise<void> = Promise.resolve();
  const next = () => {
    looking = looking.then(look).catch((error: Error) => {
      if (!closing) p.onError(error);
    });
  };
  next();
  const timer = setInterval(next, p.everyMs);
  return {
    async [Symbol.asyncDispose]() {
      closing = true;
      clearInterval(timer);
      await looking;
    },
  };
}

function describe({ bell, eta, people, ready, missing, institutions, reasons }: Readiness) {
  return {
    bell,
    eta,
    people,
    ready,
    missing,
    lateInstitutions: institutions.filter((one) => one.late).length,
    reasons: reasons
      .slice(0, 5)
      .map(({ cause, code, target, kind, count }) => ({ cause, code, target, kind, count })),
  };
}
