interface Deadline {
  readonly ms: number;
  readonly onTimeout: () => Error;
}

/**
 * Settles as `work` does, or rejects with `onTimeout()` after `ms` milliseconds. The work itself goes on: what
 * it does later is ignored, and its late rejection never becomes an unhandled one. Where this process itself was
 * late, an answer that has come meanwhile still counts: sockets are looked at once more before the rejection.
 */
export function withDeadline<T>(work: Promise<T>, { ms, onTimeout }: Deadline): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => reject(onTimeout())), ms);
    function ended<A>(settle: (outcome: A) => void): (outcome: A) => void {
      return (outcome) => {
        clearTimeout(timer);
        settle(outcome);
      };
    }
    // Not `finally`: on the hot paths each promise more is felt.
    work.then(ended(resolve), ended(reject));
  });
}
