import { inspect } from 'node:util';
import { redactText } from '../logging/redact.ts';

/** The environment can't be used as it is. `message` is complete, for people, and carries no values. */
export class ConfigError extends Error {
  readonly code = 'bad_configuration';
  override readonly name = 'ConfigError';
}

/**
 * Runs a process's `main`. A ConfigError ends the process with exit code 1 and its message alone on stderr:
 * a stack would bury the one line that says what to set. Anything else ends it loudly, with its stack, from which
 * what looks like a secret is masked.
 */
export async function exitOnConfigError(main: () => void | Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    const text = error instanceof ConfigError ? error.message : redactText(inspect(error));
    process.stderr.write(`${text}\n`);
    process.exit(1);
  }
}
