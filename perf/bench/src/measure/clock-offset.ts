/**
 * What to add to `performance.now()` for the machine's clock in milliseconds since 1970, which may have been set since
 * the process started. Read at a tick of `Date.now()`, so that it is exact to some microseconds.
 */
export function clockOffset(): number {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  return now - performance.now();
}
