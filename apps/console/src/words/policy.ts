import type { ProjectOut } from '@billing/domain';

type Policy = ProjectOut['policy'];

/** The effect of a setting of the policy, in words. */
const effects: Readonly<Record<keyof Policy, (policy: Policy) => string>> = {
  past_due_grace_days: ({ past_due_grace_days: days }) =>
    days === 0
      ? 'A failed renewal ends access at once.'
      : `After a failed renewal access goes on for ${days} ${days === 1 ? 'day' : 'days'}.`,
  unpaid: ({ unpaid: value }) =>
    value === 'allow'
      ? 'Access goes on when Stripe gives up collecting.'
      : 'No access once Stripe gives up collecting.',
  paused: ({ paused: value }) =>
    value === 'allow' ? 'A paused subscription grants.' : 'A paused subscription grants nothing.',
  incomplete: ({ incomplete: value }) =>
    value === 'allow' ? 'Access begins before the first payment.' : 'Access begins with the first payment.',
  pause_collection: ({ pause_collection: value }) =>
    value === 'allow'
      ? 'Access goes on while collection is paused.'
      : 'No access while collection is paused.',
  partial_refund_threshold: ({ partial_refund_threshold: share }) =>
    share >= 1
      ? 'Only a full refund ends access.'
      : `A refund of ${Math.round(share * 100)} % or more ends access.`,
  dispute: ({ dispute: value }) =>
    value === 'hold' ? 'An open dispute holds access back, a lost one ends it.' : 'Disputes change nothing.',
  accept_buyer_hints: ({ accept_buyer_hints: value }) =>
    value === 'grant'
      ? 'What is known only by an id that the buyer typed grants.'
      : 'What is known only by an id that the buyer typed waits until somebody confirms it.',
  past_due_allowance: ({ past_due_allowance: value }) =>
    value === 'grant'
      ? 'A period that is not paid yet has its allowance.'
      : 'A period has its allowance once it is paid.',
  usage_timezone: ({ usage_timezone: zone }) => `Days and months of usage are those of ${zone}.`,
};

export const policyNames = Object.keys(effects).filter((name): name is keyof Policy => name in effects);

/** What a setting does as it is in this policy. */
export const effectOf = (name: keyof Policy, policy: Policy): string => effects[name](policy);

/** Each setting with its value and its effect. */
export const describePolicy = (policy: Policy): { name: keyof Policy; value: string; effect: string }[] =>
  policyNames.map((name) => ({ name, value: String(policy[name]), effect: effects[name](policy) }));
