import { z } from 'zod';
import { timestamp } from '../../time.ts';
import { listOf } from './listing.ts';
import { displayName } from './projects.ts';

export const apiKeyScopes = ['read', 'checkout'] as const;
export type ApiKeyScope = (typeof apiKeyScopes)[number];

export const createApiKeyRequest = z
  .strictObject({
    name: displayName.optional(),
    expires_at: timestamp.optional(),
    scopes: z
      .array(z.enum(apiKeyScopes))
      .min(1)
      .max(apiKeyScopes.length)
      .optional()
      .describe(
        'What the key may do: `read` entitlements and metrics, sell by `checkout` and portal. Default: both.',
      ),
  })
  .meta({ id: 'CreateApiKeyRequest' });
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

/** `api_key` is in this answer and nowhere else. */
export const createdApiKey = apiKeyOut
  .extend({ api_key: z.string().describe('Shown this once.') })
  .meta({ id: 'CreatedApiKey' });
export type CreatedApiKey = z.output<typeof createdApiKey>;
