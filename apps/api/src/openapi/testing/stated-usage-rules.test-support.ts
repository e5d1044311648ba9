import type { Call } from './call-endpoint.test-support.ts';
import type { StatedRow } from './stated-feature-rules.test-support.ts';

/** A body of usage. */
const usage = (more: object) => ({ user_id: 'u', feature_code: 'f', event_id: 'e', ...more });

const pause = (at: string): Call => ({ path: { subscription_id: 'sub_1' }, body: { resumes_at: at } });

/** What is refused of usage, and of calls of subscriptions, although its schema takes it. */
export const usageRows = (the: (name: string) => string): StatedRow[] => [
  ...(['previewSubscriptionChange', 'changeSubscription'] as const).map((operationId): StatedRow => {
    const path = () => ({ subscription_id: the('subscription_id') });
    return ['nothingLeft', operationId, 'items', () => ({ path: path(), body: { items: [] } })];
  }),
  ['pauseThatIsOver', 'pauseSubscription', 'resumes_at', () => pause('2020-01-01T00:00:00Z')],
  ['nothingUsed', 'recordUsage', 'quantity', () => ({ body: usage({ quantity: 0 }) })],
  [
    'nothingUsed',
    'adjustUsage',
    'quantity',
    () => ({
      body: { project_id: the('project_id'), user_id: 'u', feature_code: 'f', reason: 'r', quantity: 0 },
    }),
  ],
  [
    'prototypeAsKey',
    'recordUsage',
    'properties',
    () => ({ body: usage({ properties: { ['__proto__']: 1 } }) }),
  ],
  ...(['listTopUsers', 'listRevenueDays'] as const).map((operationId): StatedRow => {
    const ofUsage = operationId === 'listTopUsers';
    const [from, to] = ['2020-01-01', '2024-01-01'].map((day) => (ofUsage ? `${day}T00:00:00Z` : day));
    const query = () => (ofUsage ? { feature_code: 'f' } : { project_id: the('project_id') });
    return ['windowTooLong', operationId, 'from', () => ({ query: { ...query(), from, to } })];
  }),
  [
    'refusedByStripe',
    'createPortalSession',
    'configuration',
    () => ({
      body: { user_id: the('user_id'), return_url: 'https://shop.example/', configuration: 'bpc_none' },
    }),
  ],
  [
    'subscriptionOfFlow',
    'createPortalSession',
    'subscription_id',
    () => ({
      body: { user_id: 'customer_only', return_url: 'https://shop.example/', flow: 'subscription_cancel' },
    }),
  ],
  ['correctionThatTakes', 'recordUsage', 'quantity', () => ({ body: usage({ corrects: 'e', quantity: 1 }) })],
];

/** A field that is a time, and a call with it. */
export type TimeRow = [operationId: string, field: string, call: (at: string) => Call];

const key = { user_id: 'u', feature_code: 'f' };
export const usageTimes: TimeRow[] = [
  ['pauseSubscription', 'resumes_at', pause],
  ['recordUsage', 'timestamp', (at) => ({ body: usage({ timestamp: at }) })],
  ['setUsageLevel', 'observed_at', (at) => ({ body: { ...key, event_id: 'e', level: 1, observed_at: at } })],
  ...['getUsage', 'getUserUsage'].flatMap((series) =>
    ['from', 'to'].map((field): TimeRow => [series, field, (at) => ({ query: { ...key, [field]: at } })]),
  ),
  ...['from', 'to'].map((field): TimeRow => [
    'listTopUsers',
    field,
    (at) => ({ query: { feature_code: 'f', [field]: at } }),
  ]),
];
