/** The environment can't be used as it is. `message` is complete, for people, and carries no values. */
export class ConfigError extends Error {
  readonly code = 'bad_configuration';
  override readonly name = 'ConfigError';
}

/**
 * Runs a process's `main`. A ConfigError ends the process with exit code 1 and its message alone on stderr:
 * a stack would bury the one line that says what to set. Anything else is left to crash loudly.
 */
export async function exitOnConfigError(main: () => void | Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
