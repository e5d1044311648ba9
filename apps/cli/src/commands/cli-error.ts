/** Exit codes, for scripts. */
export const exitCodes = {
  /** The service understood and refused, or the work failed. */
  refused: 1,
  /** The command line or its settings are wrong, or a confirmation is missing. */
  usage: 2,
  /** The service can't be reached or is out of order: the same command may succeed later. */
  unavailable: 3,
} as const;

/** Ends the command; `message` says what to do. */
export class CliError extends Error {
  readonly code = 'cli_failed';
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(kind: keyof typeof exitCodes, message: string) {
    super(message);
    this.exitCode = exitCodes[kind];
  }
}
