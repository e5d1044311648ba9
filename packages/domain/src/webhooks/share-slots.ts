/** An endpoint for which deliveries are due. */
export type DueEndpoint = { id: string; inFlight: number; isFailing: boolean };

/** At one endpoint, over all workers. */
export const mostAtEndpoint = 8;
/** At one that has not accepted anything for a while: it is tried, and keeps few from others. */
export const mostAtFailing = 2;

/**
 * How many deliveries to each endpoint a worker begins: those with the least under way come first, and endpoints that fail
 * have at most half of what the worker can send at once, so that however many hang, others are served.
 * `free`: of all; `failingFree`: of that half.
 */
export function shareSlots(
  endpoints: readonly DueEndpoint[],
  { free, failingFree }: { free: number; failingFree: number },
): { id: string; take: number; isFailing: boolean }[] {
  let left = free;
  let failingLeft = Math.min(failingFree, free);
  return [...endpoints]
    .sort((a, b) => a.inFlight - b.inFlight)
    .flatMap(({ id, inFlight, isFailing }) => {
      const most = (isFailing ? mostAtFailing : mostAtEndpoint) - inFlight;
      const take = Math.max(0, Math.min(most, left, isFailing ? failingLeft : left));
      left -= take;
      if (isFailing) failingLeft -= take;
      return take === 0 ? [] : [{ id, take, isFailing }];
    });
}
