import { pino } from 'pino';
import { readEnvironment } from './env.ts';

/**
 * The one logger. Messages are constant and carry ids, counts and codes; never a name, a civil
 * number, a password or a token. What a library might put into an error is cut to its message.
 */
export const log = pino(
  {
    level: readEnvironment().logLevel,
    base: null,
    serializers: {
      err: (error: Error) => ({
        type: error.name,
        message: error.message,
        stack: error.stack?.split('\n').slice(0, 6).join('\n'),
      }),
    },
  },
  pino.destination(2),
);
