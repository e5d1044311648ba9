interface Deadline {
  readonly ms: number;
  readonly onTimeout: () => Error;
}

/**
 * Settles as `work` does, or rejects with `onTimeout()` after `ms` milliseconds. The work itself goes on: what
 * it does later is ignored, and its late rejection never becomes an unhandled one.
 */
export function withDeadline<T>(work: Promise<T>, { ms, onTimeout }: Deadline): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(onTimeout()), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
