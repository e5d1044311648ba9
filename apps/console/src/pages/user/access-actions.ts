import type { AdjustRequest } from '@billing/domain';
import type { Action } from '../../parts/action-type.ts';
import { givenNumber, givenText, isOn, textOf } from '../../parts/values.ts';
import type { Values } from '../../parts/values.ts';
import type { UserKey } from './user-key.ts';

const dayMs = 86_400_000;
const lengths = [
  { value: '1', label: 'One day' },
  { value: '7', label: 'Seven days' },
  { value: '30', label: '30 days' },
  { value: 'until', label: 'Until a moment' },
  { value: 'ever', label: 'Without an end' },
];

/** Whole seconds, so that the try and the act after it send the same moment as far as people see. */
function endOf(values: Values): string | null {
  const length = textOf(values, 'length') || '1';
  if (length === 'ever') return null;
  if (length !== 'until') return new Date(Date.now() + Number(length) * dayMs).toISOString();
  const until = textOf(values, 'until');
  if (until === '') throw new Error('Say until when, or choose another length.');
  return until;
}

type Grantable = {
  codes: readonly string[];
  /** There is nothing to count of it. */
  isOnOff: (code: string) => boolean;
};

/** How much is granted; undefined: the feature is on or off. */
function amountOf(values: Values, { isOnOff }: Grantable): number | null | undefined {
  if (isOnOff(textOf(values, 'feature_code'))) return undefined;
  return isOn(values, 'unlimited') ? null : givenNumber(values, 'amount');
}

/** Gives a feature by hand. */
export const grantAction = ({ projectId, userId }: UserKey, grantable: Grantable): Action => ({
  label: 'Grant',
  title: `Grant ${userId} a feature`,
  words: 'Gives a feature for a time, whatever was paid. It takes effect at once.',
  least: 'operator',
  isTried: true,
  needsReason: true,
  fields: [
    { kind: 'suggest', name: 'feature_code', label: 'Feature', isRequired: true, options: grantable.codes },
    { kind: 'select', name: 'length', label: 'For how long', options: lengths, initial: '1' },
    {
      kind: 'time',
      name: 'until',
      label: 'Until',
      isRequired: true,
      isShown: (values) => textOf(values, 'length') === 'until',
    },
    {
      kind: 'number',
      name: 'amount',
      label: 'How much',
      description: 'Of a limit it is added to what the user has.',
      isShown: (values) => !isOn(values, 'unlimited') && !grantable.isOnOff(textOf(values, 'feature_code')),
    },
    {
      kind: 'switch',
      name: 'unlimited',
      label: 'Unlimited',
      isShown: (values) => !grantable.isOnOff(textOf(values, 'feature_code')),
    },
  ],
  request: (values) => {
    const amount = amountOf(values, grantable);
    return {
      method: 'POST',
      path: '/api/v1/admin/grant',
      body: {
        project_id: projectId,
        user_id: userId,
        feature_code: textOf(values, 'feature_code'),
        valid_to: endOf(values),
        ...(amount === undefined ? {} : { amount }),
      },
    };
  },
});

/** Ends a grant. */
export const revokeAction = (grantId: string): Action => ({
  label: 'Revoke',
  title: `Revoke the grant ${grantId}`,
  words: 'Ends what an operator granted. What was paid is not touched.',
  least: 'operator',
  isTried: true,
  needsReason: true,
  isDangerous: true,
  request: () => ({ method: 'POST', path: '/api/v1/admin/revoke', body: { grant_id: grantId } }),
});

/** Changes what was used. */
export const adjustAction = ({ projectId, userId }: UserKey, featureCodes: readonly string[]): Action => ({
  label: 'Adjust usage',
  title: `Adjust what ${userId} has used`,
  words:
    'Records usage by hand: a positive quantity takes, also beyond the allowance; a negative one gives back.',
  least: 'operator',
  isTried: true,
  needsReason: true,
  fields: [
    { kind: 'suggest', name: 'feature_code', label: 'Feature', isRequired: true, options: featureCodes },
    { kind: 'number', name: 'quantity', label: 'Quantity', isRequired: true },
    {
      kind: 'text',
      name: 'event_id',
      label: 'Event id',
      description: 'Makes it repeatable. Empty: a new one.',
    },
  ],
  request: (values) => {
    const eventId = givenText(values, 'event_id');
    const body: Omit<AdjustRequest, 'reason'> = {
      project_id: projectId,
      user_id: userId,
      feature_code: textOf(values, 'feature_code'),
      quantity: givenNumber(values, 'quantity') ?? 0,
      ...(eventId === undefined ? {} : { event_id: eventId }),
    };
    return { method: 'POST', path: '/api/v1/admin/usage/adjust', body };
  },
});

/** Takes away all that is stored of a user. */
export const eraseAction = ({ projectId, userId }: UserKey): Action => ({
  label: 'Erase',
  title: `Erase ${userId}`,
  words:
    'Takes away all that is stored of the user, for good. It cannot be undone, and is refused while a subscription lives.',
  least: 'admin',
  isTried: true,
  needsReason: true,
  isDangerous: true,
  fields: [
    {
      kind: 'text',
      name: 'again',
      label: 'The user’s id once more',
      description: 'So that nobody is erased by mistake.',
      isRequired: true,
    },
    { kind: 'switch', name: 'stripe', label: 'Delete the user’s customers at Stripe too' },
  ],
  request: (values) => {
    if (textOf(values, 'again') !== userId) throw new Error('That is not the id of this user.');
    return {
      method: 'POST',
      path: '/api/v1/admin/users/erase',
      body: { project_id: projectId, user_id: userId, stripe: isOn(values, 'stripe') },
    };
  },
  done: () => 'Erased. A run takes the id out of everything else that names the user; see Runs.',
});
