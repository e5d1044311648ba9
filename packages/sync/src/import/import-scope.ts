import { noOwners } from '@billing/domain';
import type { Catalog, Owner, SubscriptionRow } from '@billing/domain';
import type { EventState, StateKeys } from '@billing/store';
import { subscriptionKeys } from '../apply/decide-events.ts';
import type { WritePlan } from '../apply/plan-write.ts';
import { readState as readStored } from '../apply/read-state.ts';
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
  /** Subscriptions that a dry run would have stored; with their rows those that have no owner yet. */
  plannedSubscriptions: Map<string, SubscriptionRow | null>;
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
    plannedSubscriptions: new Map(),
  };
}

/** Keeps a subscription that a dry run would have stored, for its session. */
export function keepPlanned({ plannedSubscriptions }: Scope, { outcome, owner }: WritePlan): void {
  if (outcome?.kind === 'subscription')
    plannedSubscriptions.set(outcome.row.id, owner === null ? outcome.row : null);
}

/** With what deciding planned rows needs: they are not stored, so that reading them brings it not along. */
function withKeysOf(keys: StateKeys, rows: readonly SubscriptionRow[]): StateKeys {
  const { customerIds, priceIds, userIds, projectIds, productIds = [] } = subscriptionKeys(rows);
  return {
    ...keys,
    customerIds: [...keys.customerIds, ...customerIds],
    priceIds: [...keys.priceIds, ...priceIds],
    userIds: [...keys.userIds, ...userIds],
    projectIds: [...keys.projectIds, ...projectIds],
    productIds: [...(keys.productIds ?? []), ...productIds],
  };
}

/** The stored state; in a dry run with what the import would have stored before. */
export async function readState(deps: ImportDeps, scope: Scope, keys: StateKeys): Promise<EventState> {
  if (!deps.isDryRun) return readStored(deps.sync, keys);
  const rows = keys.subscriptionIds.flatMap((id) => scope.plannedSubscriptions.get(id) ?? []);
  const state = await readStored(deps.sync, withKeysOf(keys, rows));
  const planned = rows.map((row) => [row.id, { owners: noOwners, row }] as const);
  return {
    ...state,
    subscriptions: new Map([...state.subscriptions, ...planned]),
    mappings: new Map([...scope.plannedOwners, ...state.mappings]),
    projects: new Set([...state.projects, deps.projectId]),
    prices: [...state.prices, ...scope.prices],
  };
}
