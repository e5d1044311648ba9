/** The import can't go on; `message` says what to do. */
export class ImportError extends Error {
  readonly code = 'import_failed';
  override readonly name = 'ImportError';
}
