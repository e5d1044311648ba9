import { invalid } from '../errors.ts';
import { emit, emitChange } from '../events/emit.ts';
import { disputeObject, refundObject } from '../objects/money-back.ts';
import type { Charge, Dispute, Metadata, Refund } from '../stripe-objects.ts';
import type { World } from '../world.ts';

export type NewRefund = {
  /** Null: all that is left of the charge. */
  amount: number | null;
  reason: Refund['reason'];
  metadata: Metadata;
};

export function refundCharge(world: World, charge: Charge, fields: NewRefund): Refund {
  const left = charge.amount - charge.amount_refunded;
  if (charge.status !== 'succeeded')
    throw invalid('This charge has not succeeded and cannot be refunded.', 'charge');
  if (!charge.captured) {
    throw invalid(
      'This charge has not been captured: cancel its PaymentIntent to give the money back.',
      'charge',
    );
  }
  if (charge.refunded || left === 0) {
    throw invalid(`Charge ${charge.id} has already been refunded.`, undefined, 'charge_already_refunded');
  }
  const amount = fields.amount ?? left;
  if (amount > left) {
    throw invalid(
      `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`,
      'amount',
    );
  }
  const refund = world.tables.refunds.insert(
    refundObject(charge, { ...fields, amount, created: world.clock.now() }),
  );
  const amountRefunded = charge.amount_refunded + amount;
  const after = world.tables.charges.update(charge, {
    amount_refunded: amountRefunded,
    refunded: amountRefunded === charge.amount,
  });
  emit(world, 'refund.created', refund);
  emitChange(world, 'charge.refunded', { before: charge, after });
  return refund;
}

/** The bank sends a refund back: the money is the seller's again, and the charge is no longer refunded. */
export function failRefund(world: World, refund: Refund): Refund {
  if (refund.status === 'failed') throw invalid('This refund has failed already.', 'id');
  const failed = world.tables.refunds.update(refund, {
    status: 'failed',
    failure_reason: 'lost_or_stolen_card',
  });
  const charge = world.tables.charges.get(refund.charge ?? '');
  if (charge !== undefined) {
    const after = world.tables.charges.update(charge, {
      amount_refunded: charge.amount_refunded - refund.amount,
      refunded: false,
    });
    emitChange(world, 'charge.updated', { before: charge, after });
  }
  emit(world, 'refund.failed', failed);
  emitChange(world, 'refund.updated', { before: refund, after: failed });
  emitChange(world, 'charge.refund.updated', { before: refund, after: failed });
  return failed;
}

export type NewDispute = {
  amount: number;
  reason: string;
  status: 'needs_response' | 'warning_needs_response';
};

function isWarning(dispute: Dispute): boolean {
  return String(dispute.status).startsWith('warning_');
}

/** The payer's bank takes the money back until the dispute is closed; a warning only asks. */
export function openDispute(world: World, charge: Charge, fields: NewDispute): Dispute {
  if (charge.status !== 'succeeded') throw invalid('Only a charge that succeeded can be disputed.', 'id');
  const dispute = world.tables.disputes.insert(
    disputeObject(charge, { ...fields, created: world.clock.now() }),
  );
  const after = world.tables.charges.update(charge, { disputed: true });
  emit(world, 'charge.dispute.created', dispute);
  if (!isWarning(dispute)) emit(world, 'charge.dispute.funds_withdrawn', dispute);
  emitChange(world, 'charge.updated', { before: charge, after });
  return dispute;
}

/** Won: the seller gets the money back. Lost: the payer keeps it. */
export function closeDispute(
  world: World,
  dispute: Dispute,
  status: 'won' | 'lost' | 'warning_closed',
): Dispute {
  if (['won', 'lost', 'warning_closed'].includes(String(dispute.status)))
    throw invalid('This dispute is already closed.', 'id');
  if (isWarning(dispute) !== (status === 'warning_closed')) {
    throw invalid(`A dispute with status ${dispute.status} cannot end as ${status}.`, 'status');
  }
  const closed = world.tables.disputes.update(dispute, { status });
  if (status === 'won') emit(world, 'charge.dispute.funds_reinstated', closed);
  emitChange(world, 'charge.dispute.closed', { before: dispute, after: closed });
  return closed;
}
