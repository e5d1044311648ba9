import type { ReservationOut, UsageOut } from '../contracts/usage.ts';
import { toTimestamp } from '../time.ts';
import type { Account } from './account.ts';
import { balanceOf } from './balance.ts';
import { quantityOf } from './assess.ts';
import type { Refusal } from './commands.ts';
import type { EventDecision } from './event-decision.ts';
import type { ReservationDecision } from './hold.ts';
import { isAllowed } from './reasons.ts';

/** The answer to an event. `account` is as the decision left it. */
export function toUsageOut(
  account: Account,
  eventId: string,
  decision: Exclude<EventDecision, Refusal>,
): UsageOut {
  const common = { event_id: eventId, balance: balanceOf(account), usage_seq: account.state.usageSeq };
  if (decision.kind === 'denied' || decision.kind === 'stale') {
    const reason = decision.kind === 'stale' ? 'stale' : decision.reason;
    return {
      ...common,
      recorded: false,
      duplicate: false,
      allowed: decision.kind === 'stale',
      reason,
      quantity: decision.quantity,
    };
  }
  const { allowed, reason, quantity } = decision.event;
  return { ...common, recorded: true, duplicate: decision.kind === 'duplicate', allowed, reason, quantity };
}

/** The answer to what is asked of a reservation. */
export function toReservationOut(
  account: Account,
  reservationId: string,
  decision: Exclude<ReservationDecision, Refusal>,
): ReservationOut {
  const common = {
    reservation_id: reservationId,
    balance: balanceOf(account),
    usage_seq: account.state.usageSeq,
  };
  if (decision.kind === 'denied') {
    const { reason, quantity, expiresAt } = decision;
    const denied = { allowed: false, state: 'denied', late: false } as const;
    return { ...common, ...denied, reason, quantity, expires_at: toTimestamp(expiresAt) };
  }
  const { state, reason, expiresAt, confirmed, parts } = decision.reservation;
  return {
    ...common,
    allowed: isAllowed(reason),
    reason,
    state,
    quantity: confirmed?.quantity ?? quantityOf(parts),
    expires_at: toTimestamp(expiresAt),
    late: confirmed?.late ?? false,
  };
}
