import { z } from 'zod';
import { timestamp } from '../../time.ts';
import { listOf } from './listing.ts';
import { displayName } from './projects.ts';

export const createApiKeyRequest = z.strictObject({
  name: displayName.optional(),
  expires_at: timestamp.optional(),
});
export type CreateApiKeyRequest = z.output<typeof createApiKeyRequest>;

export const apiKeyOut = z.object({
  key_id: z.string(),
  project_id: z.string(),
  name: z.string().nullable(),
  prefix: z.string(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
  last_used_at: z.iso.datetime().nullable(),
});
export type ApiKeyOut = z.output<typeof apiKeyOut>;
export const apiKeyList = listOf(apiKeyOut);

/** `api_key` is in this answer and nowhere else. */
export const createdApiKey = apiKeyOut.extend({ api_key: z.string() });
export type CreatedApiKey = z.output<typeof createdApiKey>;
