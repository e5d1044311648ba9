import { z } from 'zod';
import { displayName, id, text } from '../../ids.ts';
import { policyPatch } from '../../policy.ts';
import { timestamp } from '../../time.ts';
import { checkoutDefaults, checkoutDefaultsPatch } from '../checkout-options.ts';
import { redirectOrigin } from '../checkout.ts';
import { dryRun } from './dry-run.ts';
import { listOf } from './listing.ts';

export const createProjectRequest = z
  .strictObject({
    project_id: id,
    name: displayName,
    description: text.nullable().optional(),
    dry_run: dryRun,
  })
  .meta({ id: 'NewProject' });
export type CreateProjectRequest = z.output<typeof createProjectRequest>;

/** Absent fields stay as they are. An empty `redirect_origins` allows every origin. */
export const patchProjectRequest = z
  .strictObject({
    name: displayName.optional(),
    description: text.nullable().optional(),
    is_active: z.boolean().optional(),
    policy: policyPatch.optional(),
    redirect_origins: z
      .array(redirectOrigin)
      .max(100)
      .transform((origins) => [...new Set(origins)])
      .optional()
      .describe('Where checkout and portal may lead back to; empty: anywhere.'),
    checkout_defaults: checkoutDefaultsPatch
      .nullable()
      .optional()
      .describe(
        'What a checkout does where its request does not say it. Merged; `null` takes one default away, or all. `promotion_code` does not go with `allow_promotion_codes`.',
      ),
    portal_configuration: id
      .nullable()
      .optional()
      .describe("Stripe's configuration of the portal (`bpc_…`). Null: the account's default."),
    dry_run: dryRun,
  })
  .meta({ id: 'ProjectChanges' });
export type PatchProjectRequest = z.output<typeof patchProjectRequest>;

export const projectOut = z
  .object({
    project_id: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    is_active: z.boolean(),
    policy: z
      .object({
        past_due_grace_days: z.number().int(),
        unpaid: z.enum(['allow', 'deny']),
        paused: z.enum(['allow', 'deny']),
        incomplete: z.enum(['allow', 'deny']),
        pause_collection: z.enum(['allow', 'deny']),
        partial_refund_threshold: z.number(),
        dispute: z.enum(['hold', 'ignore']),
        accept_buyer_hints: z.enum(['grant', 'quarantine']),
        past_due_allowance: z.enum(['grant', 'withhold']),
        usage_timezone: z.string(),
      })
      .describe("The policy in force: the defaults, overridden by the project's own values."),
    redirect_origins: z.array(z.string()),
    checkout_defaults: checkoutDefaults.describe(
      'What a checkout does where its request does not say it; the others have no default of their own.',
    ),
    portal_configuration: z.string().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Project' });
export type ProjectOut = z.output<typeof projectOut>;
export const projectList = listOf(projectOut).meta({ id: 'ProjectList' });

export const apiKeyScopes = ['read', 'checkout', 'usage'] as const;
export type ApiKeyScope = (typeof apiKeyScopes)[number];

const addressOrNetwork = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);

const network = z
  .string()
  .regex(/^[0-9A-Fa-f.:]{2,45}(?:\/[0-9]{1,3})?$/, 'must be an address or a network such as 192.0.2.0/24')
  .refine((value) => addressOrNetwork.safeParse(value).success, {
    message: 'must be an address or a network such as 192.0.2.0/24',
  })
  .describe('An IPv4 or IPv6 address, or a network in CIDR form.');

export const rotateApiKeyRequest = z
  .strictObject({
    overlap_hours: z
      .number()
      .min(0)
      .max(720)
      .default(24)
      .describe('How long the old key stays valid, fractions allowed; never beyond its own end.'),
    expires_at: timestamp('The end of the new key. In the future; absent: never.').optional(),
    dry_run: dryRun,
  })
  .meta({ id: 'KeyRotation' });
export type RotateApiKeyRequest = z.output<typeof rotateApiKeyRequest>;

export const createApiKeyRequest = z
  .strictObject({
    name: displayName.optional(),
    expires_at: timestamp('In the future; absent: never.').optional(),
    scopes: z
      .array(z.enum(apiKeyScopes))
      .min(1)
      .max(apiKeyScopes.length)
      .optional()
      .describe(
        "What the key may do: `read` whatever is the project's; `checkout`: sell, open the portal, change subscriptions; `usage`: take and record usage. Each call states its own (`x-scope`). Default: all. In web pages a key may only `read`.",
      ),
    allowed_ips: z
      .array(network)
      .max(100)
      .optional()
      .describe('Networks that the key may be used from (CIDR); absent or empty: any.'),
    rate_limit_per_second: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .describe('Requests a second with this key, in place of `RATE_LIMIT_PER_SECOND`.'),
    dry_run: dryRun,
  })
  .meta({ id: 'NewApiKey' });
export type CreateApiKeyRequest = z.output<typeof createApiKeyRequest>;

export const apiKeyOut = z
  .object({
    key_id: z.string(),
    project_id: z.string(),
    name: z.string().nullable(),
    prefix: z.string(),
    scopes: z.array(z.string()),
    allowed_ips: z.array(z.string()),
    rate_limit_per_second: z.number().int().nullable(),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime().nullable(),
    revoked_at: z.iso.datetime().nullable(),
    last_used_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'ApiKey' });
export type ApiKeyOut = z.output<typeof apiKeyOut>;
export const apiKeyList = listOf(apiKeyOut).meta({ id: 'ApiKeyList' });

/** `api_key` is in this answer only: the service stores its digest. */
export const createdApiKey = apiKeyOut
  .extend({ api_key: z.string().describe('The key itself, which no other answer contains.') })
  .meta({ id: 'CreatedApiKey' });
export type CreatedApiKey = z.output<typeof createdApiKey>;

export const rotatedApiKey = createdApiKey
  .extend({
    replaces: z
      .object({ key_id: z.string(), expires_at: z.iso.datetime() })
      .describe('The old key, and when it ends by itself.'),
  })
  .meta({ id: 'RotatedApiKey' });
export type RotatedApiKey = z.output<typeof rotatedApiKey>;
