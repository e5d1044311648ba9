/** The stack can't start; `message` is one sentence for the person who typed `npm start`. */
export class StartError extends Error {
  readonly code = 'start_failed';
  override readonly name = 'StartError';
}
