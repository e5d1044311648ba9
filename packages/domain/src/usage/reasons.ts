/** Why a check or a request is allowed or not. */
export const usageReasons = [
  'in_force',
  'unlimited',
  'within_allowance',
  'within_limit',
  'overage_allowed',
  'insufficient_balance',
  'limit_reached',
  'not_entitled',
] as const;
export type UsageReason = (typeof usageReasons)[number];

const refusals: ReadonlySet<UsageReason> = new Set(['insufficient_balance', 'limit_reached', 'not_entitled']);

export const isAllowed = (reason: UsageReason): boolean => !refusals.has(reason);
