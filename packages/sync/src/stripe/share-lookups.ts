/** Asks for `key`; `read` calls `sent` when its question goes out. */
export type SharedLookups<T> = (key: string, read: (sent: () => void) => Promise<T>) => Promise<T>;

/**
 * Lets those who want the same object share one read, as long as it has not gone out (it waits for its place
 * in the budget). Later askers get a read of their own: an answer may be older than their look at the row,
 * and would then pass for newer than it is.
 */
export function createSharedLookups<T>(): SharedLookups<T> {
  const unsent = new Map<string, Promise<T>>();
  return (key, read) => {
    const known = unsent.get(key);
    if (known !== undefined) return known;
    const lookup = read(() => void unsent.delete(key)).finally(() => {
      if (unsent.get(key) === lookup) unsent.delete(key);
    });
    unsent.set(key, lookup);
    return lookup;
  };
}
