import { userInfo } from 'node:os';

/** Whoever runs the command, by the system's name; a container may run under an id that has none. */
export function whoAmI(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
