import type { SyncDeps } from '../deps.ts';

/** The same dependencies with lookups that give way to those that an event waits for. */
export const inBackground = <D extends SyncDeps & { signal?: AbortSignal }>(deps: D): D => ({
  ...deps,
  budget: { ...deps.budget, take: () => deps.budget.take('background', deps.signal) },
});
