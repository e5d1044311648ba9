import {
  catalogChangedMessage,
  entitlementsChangedMessage,
  thinEntitlementsChangedMessage,
  usageLimitMessage,
  usageThresholdMessage,
  webhookPingMessage,
} from '@billing/domain';
import type { WebhookMessageType } from '@billing/domain';
import { z } from 'zod';
import { toJsonSchema } from './json-schema.ts';
import type { JsonObject, SchemaOptions } from './json-schema.ts';
import {
  catalogMessageExample,
  changedMessageExample,
  limitMessageExample,
  pingMessageExample,
  thinMessageExample,
  thresholdMessageExample,
} from './webhook-examples.ts';

type Described = {
  operationId: string;
  summary: string;
  description: string;
  schema: z.ZodType;
  examples: Readonly<Record<string, { summary: string; value: unknown }>>;
};

const one = (value: unknown) => ({ message: { summary: 'The message.', value } });

/** What is sent to products, by its type. */
const messages: Record<WebhookMessageType, Described> = {
  'entitlements.changed': {
    operationId: 'tellEntitlementsChanged',
    summary: 'What a user may do has changed',
    description:
      'The whole state, whatever changed it: an event of Stripe, an operator, the catalog, or time alone. Keep the greatest `version` of each user, and answer 2xx for less.',
    schema: z.union([entitlementsChangedMessage, thinEntitlementsChangedMessage]),
    examples: {
      full: { summary: 'To an endpoint with `payload: full`.', value: changedMessageExample },
      thin: { summary: 'To an endpoint with `payload: thin`.', value: thinMessageExample },
    },
  },
  'catalog.changed': {
    operationId: 'tellCatalogChanged',
    summary: 'The catalog or policy has changed',
    description:
      'At once; the users whose answers it changes are told one after the other. It is all that is told of users nobody has heard of, whom default products may give something else now.',
    schema: catalogChangedMessage,
    examples: one(catalogMessageExample),
  },
  'usage.threshold_reached': {
    operationId: 'tellThresholdReached',
    summary: 'Usage has come to a threshold of its feature',
    description: 'A fact, told once for each bucket and threshold; no newer one replaces it.',
    schema: usageThresholdMessage,
    examples: one(thresholdMessageExample),
  },
  'usage.limit_reached': {
    operationId: 'tellLimitReached',
    summary: 'Nothing is left',
    description: 'A fact, told once for each bucket that was emptied last.',
    schema: usageLimitMessage,
    examples: one(limitMessageExample),
  },
  'webhook.ping': {
    operationId: 'tellPing',
    summary: 'An operator tries the endpoint',
    description: 'Sent to an endpoint that is pinged, whatever it asks for. There is nothing to do.',
    schema: webhookPingMessage,
    examples: one(pingMessageExample),
  },
};

const headers: JsonObject[] = [
  {
    name: 'webhook-id',
    in: 'header',
    required: true,
    description: 'Of the message: the same at all endpoints, in every try and in every resend.',
    schema: { type: 'string', pattern: '^msg_[A-Za-z0-9]+$' },
  },
  {
    name: 'webhook-timestamp',
    in: 'header',
    required: true,
    description: 'When this try was made, in seconds since 1970. Refuse what is more than 5 minutes off.',
    schema: { type: 'string', pattern: '^[0-9]+$' },
  },
  {
    name: 'webhook-signature',
    in: 'header',
    required: true,
    description:
      '`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, by the secret; two of them, separated by a space, while a rotation overlaps.',
    schema: { type: 'string' },
  },
  {
    name: 'webhook-resend',
    in: 'header',
    required: false,
    description: '`true` where an operator sends the message once more. It may be older than what you have.',
    schema: { type: 'string', pattern: '^true$' },
  },
];

const responses = {
  '2XX': { description: 'Accepted: the status alone decides, what is in the answer does not matter.' },
  '410': { description: 'The endpoint is disabled at once.' },
  default: {
    description:
      'Tried again later, up to ten times in four days; of 429 and 503 not before `Retry-After`. Redirects are not followed.',
  },
};

/** The section `webhooks` of the description: what the service sends, of which the receiver is somebody else. */
export const describeWebhooks = (options: SchemaOptions): JsonObject =>
  Object.fromEntries(
    Object.entries(messages).map(([type, { operationId, summary, description, schema, examples }]) => [
      type,
      {
        post: {
          operationId,
          tags: ['Webhooks to products'],
          summary,
          description,
          security: [{ webhookSignature: [] }],
          parameters: headers,
          requestBody: {
            required: true,
            content: { 'application/json': { schema: toJsonSchema(schema, options), examples } },
          },
          responses,
        },
      },
    ]),
  );

/** The operations of that section. */
export const webhookOperationIds: readonly string[] = Object.values(messages).map(
  ({ operationId }) => operationId,
);
