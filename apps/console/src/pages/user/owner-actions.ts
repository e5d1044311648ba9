import type { Action } from '../../parts/action-type.ts';
import { textOf } from '../../parts/values.ts';
import { pathOf } from '../../api/address.ts';
import type { UserKey } from './user-key.ts';

/** The field of an assignment that takes an id of this kind. */
const fieldOfPrefix = [
  ['sub_', 'subscription_id'],
  ['pi_', 'payment_intent_id'],
  ['cs_', 'session_id'],
] as const;

function objectField(id: string): Record<string, string> {
  const field = fieldOfPrefix.find(([prefix]) => id.startsWith(prefix))?.[1];
  if (field === undefined)
    throw new Error('Give the id of a subscription (sub_…), a payment (pi_…) or a Checkout session (cs_…).');
  return { [field]: id };
}

/** Gives one object of Stripe to the user. `objectId`: it is known already. */
export const assignAction = ({ projectId, userId }: UserKey, objectId?: string): Action => ({
  label: 'Assign',
  title: `Assign ${objectId ?? 'something'} to ${userId}`,
  words:
    'Says that one subscription or payment is this user’s. It goes before the customer’s mapping, also in later events.',
  least: 'operator',
  isOfAll: true,
  isTried: true,
  needsReason: true,
  fields:
    objectId === undefined
      ? [
          {
            kind: 'text',
            name: 'object',
            label: 'Subscription, payment or session',
            description: 'Its id at Stripe: sub_…, pi_… or cs_….',
            isRequired: true,
          },
        ]
      : [],
  request: (values) => ({
    method: 'POST',
    path: '/api/v1/admin/assign',
    body: { ...objectField(objectId ?? textOf(values, 'object')), project_id: projectId, user_id: userId },
  }),
});

/** Maps a customer to the user, whoever it is mapped to. */
export const takeCustomerAction = ({ projectId, userId }: UserKey): Action => ({
  label: 'Map a customer',
  title: `Map a Stripe customer to ${userId}`,
  words:
    'Says that a customer of Stripe is this user. What it has goes to the user, except what was assigned; another user of the project who had it loses it.',
  least: 'operator',
  isTried: true,
  needsReason: true,
  fields: [
    {
      kind: 'text',
      name: 'customer',
      label: 'Customer',
      description: 'Its id at Stripe: cus_….',
      isRequired: true,
    },
  ],
  request: (values) => ({
    method: 'PATCH',
    path: pathOf`/api/v1/admin/projects/${projectId}/customers/${textOf(values, 'customer')}`,
    body: { user_id: userId },
  }),
});

/** Moves a customer of the user to another one. */
export const moveCustomerAction = ({ projectId }: UserKey, customerId: string): Action => ({
  label: 'Move',
  title: `Move ${customerId} to another user`,
  words: 'What the customer has goes to the other user, except what was assigned.',
  least: 'operator',
  isTried: true,
  needsReason: true,
  fields: [{ kind: 'text', name: 'user_id', label: 'To the user', isRequired: true }],
  request: (values) => ({
    method: 'PATCH',
    path: pathOf`/api/v1/admin/projects/${projectId}/customers/${customerId}`,
    body: { user_id: textOf(values, 'user_id') },
  }),
});
