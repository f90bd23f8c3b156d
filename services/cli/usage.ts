/** The command line cannot be understood; the message names the remedy. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'wrong-use';
}
