/** Migrating failed; `message` is one line for people and contains no password. */
export class MigrationError extends Error {
  readonly code = 'migration_failed';
  override readonly name = 'MigrationError';
}
