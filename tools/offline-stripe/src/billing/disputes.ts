import { invalid } from '../errors.ts';
import { emit } from '../events/emit.ts';
import { disputeObject } from '../objects/money-back.ts';
import type { Charge, Dispute } from '../stripe-objects.ts';
import type { World } from '../world.ts';

export interface NewDispute {
  amount: number;
  reason: string;
  status: 'needs_response' | 'warning_needs_response';
}

function isWarning(dispute: Dispute): boolean {
  return String(dispute.status).startsWith('warning_');
}

/** The payer's bank takes the money back for now; a warning only asks. */
export function openDispute(world: World, charge: Charge, fields: NewDispute): Dispute {
  if (charge.status !== 'succeeded') throw invalid('Only a charge that succeeded can be disputed.', 'id');
  const dispute = world.tables.disputes.insert(
    disputeObject(charge, { ...fields, created: world.clock.now() }),
  );
  const after = world.tables.charges.update(charge, { disputed: true });
  emit(world, 'charge.dispute.created', dispute);
  if (!isWarning(dispute)) emit(world, 'charge.dispute.funds_withdrawn', dispute);
  emit(world, 'charge.updated', after, charge);
  return dispute;
}

/** Won gives the money back to the seller, lost leaves it with the payer. */
export function closeDispute(
  world: World,
  dispute: Dispute,
  status: 'won' | 'lost' | 'warning_closed',
): Dispute {
  if (['won', 'lost', 'warning_closed'].includes(dispute.status))
    throw invalid('This dispute is already closed.', 'id');
  if (isWarning(dispute) !== (status === 'warning_closed')) {
    throw invalid(`A dispute with status ${dispute.status} cannot end as ${status}.`, 'status');
  }
  const closed = world.tables.disputes.update(dispute, { status });
  if (status === 'won') emit(world, 'charge.dispute.funds_reinstated', closed);
  emit(world, 'charge.dispute.closed', closed, dispute);
  return closed;
}
