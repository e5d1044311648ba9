type Deadline = {
  readonly ms: number;
  readonly onTimeout: () => Error;
};

/**
 * Resolves or rejects as `work` does, or rejects with `onTimeout()` after `ms` milliseconds. The work itself goes on:
 * its later outcome is ignored and never becomes an unhandled rejection. Where this process itself was late, an
 * answer that has arrived meanwhile still counts: sockets are read once more before the rejection.
 */
export function withDeadline<T>(work: Promise<T>, { ms, onTimeout }: Deadline): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => reject(onTimeout())), ms);
    function ended<A>(finish: (outcome: A) => void): (outcome: A) => void {
      return (outcome) => {
        clearTimeout(timer);
        finish(outcome);
      };
    }
    // Not `finally`: on the hot paths each further promise costs measurably.
    work.then(ended(resolve), ended(reject));
  });
}
