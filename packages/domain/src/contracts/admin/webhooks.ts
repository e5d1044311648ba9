import { z } from 'zod';
import { hasAtMost, id, isPlainText, text } from '../../ids.ts';
import { webhookEventTypes, webhookMessage, webhookMessageTypes } from '../webhook-messages.ts';
import { dryRun } from './dry-run.ts';
import { listOf, pageFields } from './listing.ts';

export const webhookPayloads = ['full', 'thin'] as const;
export const webhookDeliveries = ['latest', 'every'] as const;
export const webhookDisabledReasons = ['by_operator', 'gone', 'failing'] as const;
export const webhookDeliveryStatuses = ['pending', 'succeeded', 'failed', 'superseded', 'discarded'] as const;
export type WebhookDeliveryStatus = (typeof webhookDeliveryStatuses)[number];

const maxUrlCharacters = 2_048;

/** Where it leads is looked at when it is saved, and again at each try. */
const url = z
  .string()
  .min(1)
  .refine(hasAtMost(maxUrlCharacters), { message: `must have at most ${maxUrlCharacters} characters` })
  .refine((value) => isPlainText(value) && !/\s/.test(value), {
    message: 'must not contain spaces or control characters',
  })
  .meta({
    description:
      'An absolute https URL without user information, whose every address is a public one (or of a network that the operator allows).',
    maxLength: maxUrlCharacters,
    pattern: String.raw`^[^\s\u0000-\u001F\u007F-\u009F\uFFFD]+$`,
  });

const eventTypes = z
  .array(z.enum(['*', ...webhookEventTypes]))
  .min(1)
  .max(20)
  .transform((types) => [...new Set(types)])
  .describe('What is sent; `*`: all, those of later versions too.');

const payload = z
  .enum(webhookPayloads)
  .describe('`full`: the whole state; `thin`: `project_id`, `user_id`, `version`, `previous_version`.');

const delivery = z
  .enum(webhookDeliveries)
  .describe(
    '`latest`: a newer state of a user replaces older ones that wait; `every`: all of them, in order for each user.',
  );

export const createWebhookEndpointRequest = z
  .strictObject({
    url,
    event_types: eventTypes.default(['*']),
    payload: payload.default('full'),
    delivery: delivery.default('latest'),
    description: text.optional(),
    dry_run: dryRun,
  })
  .meta({ id: 'NewWebhookEndpoint' });
export type CreateWebhookEndpointRequest = z.output<typeof createWebhookEndpointRequest>;

export const patchWebhookEndpointRequest = z
  .strictObject({
    url: url.optional(),
    event_types: eventTypes.optional(),
    payload: payload.optional(),
    delivery: delivery.optional(),
    is_enabled: z
      .boolean()
      .optional()
      .describe(
        'False: nothing is sent, and what waits is discarded. True: from now on changes are sent; `backfill` tells the state of all users.',
      ),
    description: text.nullable().optional(),
    dry_run: dryRun,
  })
  .meta({ id: 'WebhookEndpointChanges' });
export type PatchWebhookEndpointRequest = z.output<typeof patchWebhookEndpointRequest>;

const instant = z.iso.datetime();

export const webhookEndpointOut = z
  .object({
    endpoint_id: z.string(),
    project_id: z.string(),
    url: z.string(),
    event_types: z.array(z.string()),
    payload: z.enum(webhookPayloads),
    delivery: z.enum(webhookDeliveries),
    description: z.string().nullable(),
    status: z.enum(['enabled', 'disabled']),
    disabled_reason: z
      .enum(webhookDisabledReasons)
      .nullable()
      .describe(
        '`gone`: it answered 410; `failing`: no try has succeeded for too long. Null: it is enabled.',
      ),
    last_success_at: instant.nullable(),
    failing_since: instant.nullable().describe('Since when no try has succeeded; null: the last one did.'),
    previous_secret_until: instant
      .nullable()
      .describe(
        'Until then messages are signed with the secret before the rotation too; null: they are not.',
      ),
    created_at: instant,
    updated_at: instant,
  })
  .meta({ id: 'WebhookEndpoint' });
export type WebhookEndpointOut = z.output<typeof webhookEndpointOut>;
export const webhookEndpointList = listOf(webhookEndpointOut).meta({ id: 'WebhookEndpointList' });

const secret = z
  .string()
  .describe('By which the receiver verifies (`whsec_…`). In this answer only: it is stored nowhere.');

export const createdWebhookEndpoint = webhookEndpointOut
  .extend({ secret })
  .meta({ id: 'CreatedWebhookEndpoint' });

export const rotateWebhookSecretRequest = z
  .strictObject({
    overlap_hours: z
      .number()
      .min(0)
      .max(168)
      .default(24)
      .describe('How long the old secret signs too, fractions allowed; 0: it ends now.'),
    dry_run: dryRun,
  })
  .meta({ id: 'WebhookSecretRotation' });
export type RotateWebhookSecretRequest = z.output<typeof rotateWebhookSecretRequest>;

export const rotatedWebhookSecret = z
  .object({ endpoint_id: z.string(), secret })
  .meta({ id: 'RotatedWebhookSecret' });

export const webhookAttemptOut = z
  .object({
    endpoint_id: z.string(),
    at: instant,
    status: z.number().int().nullable().describe('Of the answer; null: none came.'),
    duration_ms: z.number().int(),
    error: z.string().nullable().describe('A word for what failed, such as `timeout` or `url_not_allowed`.'),
    response: z.string().nullable().describe('The first 512 bytes of the answer.'),
  })
  .meta({ id: 'WebhookAttempt' });
export type WebhookAttemptOut = z.output<typeof webhookAttemptOut>;

export const webhookPingOut = webhookAttemptOut
  .extend({ message_id: z.string() })
  .meta({ id: 'WebhookPing' });

export const webhookDeliveriesQuery = z.strictObject({
  status: z.enum(webhookDeliveryStatuses).optional(),
  user_id: id.optional().describe('Only messages about this user.'),
  type: z.enum(webhookMessageTypes).optional(),
  ...pageFields,
});
export type WebhookDeliveriesQuery = z.output<typeof webhookDeliveriesQuery>;

export const webhookDeliveryOut = z
  .object({
    delivery_id: z.string(),
    message_id: z.string(),
    type: z.string(),
    user_id: z.string().nullable().describe('Null: it is about the project.'),
    version: z.number().int().nullable(),
    status: z
      .enum(webhookDeliveryStatuses)
      .describe(
        '`failed`: after the last try; `superseded`: a newer state replaced it; `discarded`: the endpoint was disabled or deleted, or the project switched off.',
      ),
    attempts: z.number().int(),
    next_try_at: instant.nullable().describe('Null: it waits no more.'),
    created_at: instant,
  })
  .meta({ id: 'WebhookDelivery' });
export type WebhookDeliveryOut = z.output<typeof webhookDeliveryOut>;
export const webhookDeliveryList = listOf(webhookDeliveryOut).meta({ id: 'WebhookDeliveryList' });

export const webhookMessageOut = z
  .object({
    message_id: z.string(),
    project_id: z.string(),
    type: z.string(),
    created_at: instant,
    payload: webhookMessage.describe('The body in its full form.'),
    attempts: z
      .array(webhookAttemptOut)
      .describe('All tries at all endpoints, the newest 1,000, oldest first.'),
  })
  .meta({ id: 'WebhookMessage' });

export const resendWebhookRequest = z
  .strictObject({
    endpoint_id: id.optional().describe('Absent: to all enabled endpoints that it was made for.'),
  })
  .meta({ id: 'WebhookResend' });

export const resentWebhook = z
  .object({
    message_id: z.string(),
    endpoints: z.number().int().describe('To how many it is sent once more.'),
  })
  .meta({ id: 'ResentWebhook' });
