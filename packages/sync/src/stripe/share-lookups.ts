/** Looks `key` up; `ask` calls `sent` when its request goes out. */
export type SharedLookups<T> = (key: string, ask: (sent: () => void) => Promise<T>) => Promise<T>;

/**
 * Lets callers that want the same object share one lookup, as long as its request has not gone out (it waits for its
 * place in the budget). Later callers get a lookup of their own: an earlier answer may be older than the row they read,
 * and would then count as newer than it is.
 */
export function createSharedLookups<T>(): SharedLookups<T> {
  const unsent = new Map<string, Promise<T>>();
  return (key, ask) => {
    const known = unsent.get(key);
    if (known !== undefined) return known;
    const lookup = ask(() => void unsent.delete(key)).finally(() => {
      if (unsent.get(key) === lookup) unsent.delete(key);
    });
    unsent.set(key, lookup);
    return lookup;
  };
}
