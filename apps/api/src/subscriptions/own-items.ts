import { ServiceError } from '@billing/domain';
import type { SoldItem } from '@billing/store';
import type { LiveItem, LiveSubscription } from './read-live.ts';

type Split = {
  /** Those of the project, and those that nobody sells. */
  own: LiveItem[];
  others: LiveItem[];
  isShared: boolean;
};

/** Whose the items of a subscription are. Whose one is that nobody sells is not known where several projects have some. */
export function splitItems(
  items: readonly LiveItem[],
  { projectId, sold }: { projectId: string; sold: readonly SoldItem[] },
): Split {
  const isShared = sold.some((one) => one.projectId !== projectId);
  const isOwn = ({ stripePriceId }: LiveItem): boolean => {
    const seller = sold.find((one) => one.stripePriceId === stripePriceId)?.projectId;
    return (seller ?? (isShared ? null : projectId)) === projectId;
  };
  return { own: items.filter(isOwn), others: items.filter((item) => !isOwn(item)), isShared };
}

type Planned = { price: string; quantity?: number | null | undefined };

/** All that a subscription is to become, later or once it is paid: each time, all its items. */
function plannedOf({ schedule, pending_update: waiting }: LiveSubscription): readonly (readonly Planned[])[] {
  const end = schedule?.current_phase?.end_date ?? 0;
  const later = (schedule?.phases ?? []).filter(({ start_date: start }) => start >= end);
  const update = waiting?.subscription_items ?? null;
  return [...later.map(({ items }) => items), ...(update === null ? [] : [update])];
}

const stays = (planned: readonly Planned[], { stripePriceId, quantity, usageType }: LiveItem): boolean =>
  planned.some(
    (one) => one.price === stripePriceId && (usageType === 'metered' || (one.quantity ?? 1) === quantity),
  );

/** Whether what is planned of a subscription changes these items, which are not the project's. */
export function changesOthers(live: LiveSubscription, others: readonly LiveItem[]): boolean {
  return plannedOf(live).some((planned) => !others.every((item) => stays(planned, item)));
}

/** Throws `shared_subscription` where giving up what is planned would take another project's change away. */
export function refuseOthersPlans(live: LiveSubscription, others: readonly LiveItem[]): void {
  if (!changesOthers(live, others)) return;
  throw new ServiceError(
    'shared_subscription',
    "Wait until it is made, or the other project gives it up: a change of another project's items is pending.",
  );
}
