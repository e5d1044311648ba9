import { hasReversals, sellingProject } from '@billing/domain';
import type { PurchaseRow } from '@billing/domain';
import type { EventState } from '@billing/store';

/**
 * An invoice that sells nothing of any catalog is somebody else's business. Only one that names a project of ours by
 * itself waits for its price; a subscription's names it for the subscription.
 */
export function isForeignInvoice(
  { rowVersion, record, items, claims }: PurchaseRow,
  state: EventState,
): boolean {
  if (rowVersion > 0 || record.said.invoice === undefined) return false;
  if (items.some((item) => sellingProject(item, state) !== null)) return false;
  const isOneOff = record.invoice?.subscriptionId === null;
  const namesProject = claims.projectId !== null && state.projects.has(claims.projectId);
  return items.length === 0 || !isOneOff || !namesProject;
}

/** A subscription's payment is no purchase, whatever it claims; without refunds and disputes it needs no row. */
export const isOthersPayment = ({ rowVersion, record, subscriptionId }: PurchaseRow): boolean =>
  rowVersion === 0 &&
  subscriptionId !== null &&
  record.said.invoice === undefined &&
  !hasReversals(record.money);
