import { z } from 'zod';
import { id, text } from '../../ids.ts';
import { policyPatch } from '../../policy.ts';
import { originPattern } from '../checkout.ts';
import { listOf } from './listing.ts';

export const displayName = text
  .refine((value) => Array.from(value).length <= 256, {
    message: 'must have at most 256 characters',
  })
  .meta({ maxLength: 256 });

/** An origin that redirects may lead to: https, or http to this machine; stored as browsers write it. */
export const redirectOrigin = z
  .string()
  .max(2000)
  .transform((value, context) => {
    const origin = URL.canParse(value) ? new URL(value) : null;
    if (origin === null || !isBareOrigin(origin, value)) {
      context.addIssue({ code: 'custom', message: 'must be an origin such as https://app.example.com' });
      return z.NEVER;
    }
    return origin.origin;
  })
  .meta({
    description: 'An origin such as https://app.example.com (http for localhost only).',
    pattern: String.raw`^${originPattern}\/?$`,
  });

function isBareOrigin(url: URL, written: string): boolean {
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  const isAllowed = url.protocol === 'https:' || (url.protocol === 'http:' && isLocal);
  const isBare = url.pathname === '/' && url.search === '' && url.hash === '' && !/[?#\\\s]/.test(written);
  // URL takes a `*` for a letter; whoever writes one means more than this one host.
  const isOneHost = !url.hostname.includes('*');
  return isAllowed && isBare && isOneHost && url.username === '' && url.password === '';
}

export const createProjectRequest = z
  .strictObject({
    project_id: id,
    name: displayName,
    description: text.nullable().optional(),
  })
  .meta({ id: 'CreateProjectRequest' });
export type CreateProjectRequest = z.output<typeof createProjectRequest>;

/** What is absent stays. An empty `redirect_origins` allows every origin. */
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
      .optional(),
  })
  .meta({ id: 'PatchProjectRequest' });
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
      .describe("The policy in force: the defaults with the project's own values."),
    redirect_origins: z.array(z.string()),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Project' });
export type ProjectOut = z.output<typeof projectOut>;
export const projectList = listOf(projectOut).meta({ id: 'ProjectList' });
