/** Why a user's answer may have changed, as messages say it. */
export type Cause =
  | `stripe_event:${string}`
  | 'expired'
  | 'started'
  | `granted:${string}`
  | `revoked:${string}`
  | 'catalog'
  | 'policy'
  | 'mapping'
  | 'assigned'
  | 'moved'
  | 'requested'
  | 'recheck'
  | 'reconcile'
  | 'import'
  | 'backfill';

const mostCauses = 20;

/** Each cause once, in the order given; of more than 20 the first 20, then `more`. */
export function listCauses(causes: readonly string[]): string[] {
  const each = [...new Set(causes)];
  return each.length <= mostCauses ? each : [...each.slice(0, mostCauses), 'more'];
}
