import { z } from 'zod';
import { displayName, id, text } from '../../ids.ts';
import { policyPatch } from '../../policy.ts';
import { timestamp } from '../../time.ts';
import { redirectOrigin } from '../checkout.ts';
import { listOf } from './listing.ts';

export const createProjectRequest = z
  .strictObject({
    project_id: id,
    name: displayName,
    description: text.nullable().optional(),
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
      })
      .describe("The policy in force: the defaults, overridden by the project's own values."),
    redirect_origins: z.array(z.string()),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Project' });
export type ProjectOut = z.output<typeof projectOut>;
export const projectList = listOf(projectOut).meta({ id: 'ProjectList' });

export const apiKeyScopes = ['read', 'checkout'] as const;
export type ApiKeyScope = (typeof apiKeyScopes)[number];

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
        'What the key may do: `read` entitlements and metrics; `checkout`: open checkout and portal. Default: both.',
      ),
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
