import type { Claims } from '@billing/domain';
import type { StateKeys } from '@billing/store';
import type { GroupLookup } from './decide-events.ts';
import type { EventGroup } from './target.ts';

export const noKeys: StateKeys = {
  eventIds: [],
  subscriptionIds: [],
  purchaseIds: [],
  customerIds: [],
  priceIds: [],
  userIds: [],
  projectIds: [],
};

const present = (values: readonly (string | null | undefined)[]): string[] =>
  values.filter((value) => value !== null && value !== undefined);

type Ownable = { customerId: string | null; claims: Claims };
type Priced = { items: readonly { stripePriceId: string }[] };

/** What finding the owners of objects takes. */
const ownerKeys = (objects: readonly Ownable[]) => ({
  customerIds: present(objects.map((one) => one.customerId)),
  userIds: present(objects.map((one) => one.claims.userId)),
  projectIds: present(objects.map((one) => one.claims.projectId)),
});

const priceIdsOf = (objects: readonly Priced[]): string[] =>
  objects.flatMap((one) => one.items.map((item) => item.stripePriceId));

/** All that must be read to decide subscriptions that Stripe listed or was asked for. */
export const subscriptionKeys = (snapshots: readonly ({ id: string } & Ownable & Priced)[]): StateKeys => ({
  ...noKeys,
  ...ownerKeys(snapshots),
  subscriptionIds: snapshots.map(({ id }) => id),
  priceIds: priceIdsOf(snapshots),
});

/** All that must be read before groups of events can be decided. */
export function groupKeys(groups: readonly EventGroup[], lookups: readonly GroupLookup[] = []): StateKeys {
  const events = groups.flatMap((group) => group.events);
  const targets = events.map(({ target }) => target);
  const changes = targets.flatMap((target) => (target.kind === 'subscription' ? [target.change] : []));
  const payments = targets.flatMap((target) => (target.kind === 'purchase' ? [target.change] : []));
  const subscriptions = lookups.flatMap((one) =>
    one.kind === 'subscription' && one.lookup.kind === 'found' ? [one.lookup.object] : [],
  );
  const details = lookups.flatMap((one) =>
    one.kind === 'purchase' && one.lookup.kind === 'found' ? [one.lookup.object] : [],
  );
  const snapshots = [
    ...changes.flatMap((one) => (one.kind === 'snapshot' ? [one.snapshot] : [])),
    ...subscriptions,
  ];
  const mentions = changes.flatMap((one) => (one.kind === 'mention' ? [one.mention] : []));
  const owners = ownerKeys([...snapshots, ...mentions, ...payments]);
  return {
    ...owners,
    eventIds: events.map(({ event }) => event.id),
    subscriptionIds: targets.flatMap((target) => (target.kind === 'subscription' ? [target.id] : [])),
    purchaseIds: targets.flatMap((target) => (target.kind === 'purchase' ? [target.id] : [])),
    customerIds: [...owners.customerIds, ...present(events.map(({ event }) => event.customerId))],
    priceIds: present([
      ...priceIdsOf(snapshots),
      ...payments.map((one) => one.priceId),
      ...details.flatMap((one) => (one.lineItems ?? []).map((item) => item.stripePriceId)),
    ]),
    invoiceIds: present([...payments.map((one) => one.invoiceId), ...details.map((one) => one.invoice?.id)]),
  };
}
