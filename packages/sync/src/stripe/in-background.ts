import type { MaintenanceDeps } from '../deps.ts';

/** The same worker, whose reads from Stripe give way to those that something waits for. */
export const inBackground = (deps: MaintenanceDeps): MaintenanceDeps => ({
  ...deps,
  budget: { ...deps.budget, take: () => deps.budget.take('background', deps.signal) },
});
