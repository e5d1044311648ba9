import type { Catalog, Owner } from '@billing/domain';
import { readEventState } from '@billing/store';
import type { EventState, StateKeys } from '@billing/store';
import type { PlannedPrice } from './import-catalog.ts';
import type { ImportDeps } from './import-deps.ts';

/** What belongs to the project: its prices, and in a dry run what the import would have mapped. */
export type Scope = {
  /** Stripe's ids of its prices. */
  stripePriceIds: ReadonlySet<string>;
  /** Stripe's price id by our id and by Stripe's: metadata may name either. */
  stripePriceOf: ReadonlyMap<string, string>;
  prices: Catalog['prices'];
  /** Customers that a dry run would have mapped. */
  plannedOwners: Map<string, readonly Owner[]>;
  /** Payments that a dry run would have stored with their session. */
  plannedSessionPayments: Set<string>;
};

export async function readScope(
  { sync, projectId }: ImportDeps,
  planned: readonly PlannedPrice[],
): Promise<Scope> {
  const stored = await sync.database.price.findMany({ where: { projectId } });
  const prices = [
    ...stored.map(({ priceId, stripePriceId, interval }) => ({
      projectId,
      priceId,
      stripePriceId,
      isRecurring: interval !== 'one_time',
    })),
    ...planned.map(({ price: { priceId, stripePriceId, interval } }) => ({
      projectId,
      priceId,
      stripePriceId,
      isRecurring: interval !== 'one_time',
    })),
  ];
  const named = prices.flatMap(({ priceId, stripePriceId }) =>
    [priceId, stripePriceId].map((id) => [id, stripePriceId] as const),
  );
  return {
    stripePriceIds: new Set(prices.map((price) => price.stripePriceId)),
    stripePriceOf: new Map(named),
    prices,
    plannedOwners: new Map(),
    plannedSessionPayments: new Set(),
  };
}

/** The stored state; in a dry run with what the import would have stored before. */
export async function readState(deps: ImportDeps, scope: Scope, keys: StateKeys): Promise<EventState> {
  const state = await readEventState(deps.sync.database, keys);
  if (!deps.isDryRun) return state;
  return {
    ...state,
    mappings: new Map([...scope.plannedOwners, ...state.mappings]),
    projects: new Set([...state.projects, deps.projectId]),
    prices: [...state.prices, ...scope.prices],
  };
}
