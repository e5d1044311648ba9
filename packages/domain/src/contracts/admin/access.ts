import { z } from 'zod';
import { id, text } from '../../ids.ts';
import { timestamp } from '../../time.ts';
import { maxAmount } from '../../usage/amounts.ts';
import { dryRun } from './dry-run.ts';

export const mapCustomerRequest = z
  .strictObject({ user_id: id, stripe_customer_id: id, dry_run: dryRun })
  .meta({ id: 'NewCustomer' });
export type MapCustomerRequest = z.output<typeof mapCustomerRequest>;

export const customerOut = z
  .object({
    project_id: z.string(),
    user_id: z.string(),
    stripe_customer_id: z.string(),
    created_at: z.iso.datetime(),
    healed: z
      .object({
        subscriptions: z.number().int(),
        purchases: z.number().int(),
        events: z.number().int(),
      })
      .describe('How much was quarantined for this mapping and is now released.'),
  })
  .meta({ id: 'Customer' });
export type CustomerOut = z.output<typeof customerOut>;

export const grantRequest = z
  .strictObject({
    user_id: id,
    project_id: id,
    feature_code: id,
    valid_from: timestamp('Default: now.').optional(),
    valid_to: timestamp('Later than `valid_from` (or now, where that is absent); null or absent: no end.')
      .nullable()
      .optional(),
    amount: z
      .number()
      .int()
      .min(1)
      .max(maxAmount)
      .nullable()
      .optional()
      .describe(
        'Required for a limit (it is added to the limit of the other sources) and for a metered feature (it can be used until `valid_to`); null: unlimited. Not for a boolean feature.',
      ),
    reason: text,
    dry_run: dryRun,
  })
  .refine(
    ({ valid_from: from, valid_to: to }) => from === undefined || (to ?? null) === null || Number(to) > from,
    {
      path: ['valid_to'],
      message: 'must be later than valid_from',
    },
  )
  .meta({ id: 'NewGrant' });
export type GrantRequest = z.output<typeof grantRequest>;

export const grantResponse = z
  .object({
    grant_id: z.string(),
    user_id: z.string(),
    project_id: z.string(),
    feature_code: z.string(),
    amount: z
      .number()
      .int()
      .nullable()
      .optional()
      .describe('Of a limit or metered feature; null: unlimited.'),
    valid_from: z.iso.datetime(),
    valid_to: z.iso.datetime().nullable(),
    granted_at: z.iso.datetime(),
  })
  .meta({ id: 'Grant' });
export type GrantResponse = z.output<typeof grantResponse>;

const oneReason = 'Send `reason` or `revoke_reason`; where both are sent they must be the same.';

export const revokeRequest = z
  .strictObject({
    grant_id: id,
    reason: text.optional().describe(`Kept with the grant and in the audit log. ${oneReason}`),
    revoke_reason: text.optional().describe(`The older name of \`reason\`. ${oneReason}`),
    dry_run: dryRun,
  })
  .transform(({ reason, revoke_reason: older, ...request }, context) => {
    const sent = reason ?? older;
    if (sent !== undefined && sent === (older ?? sent)) return { ...request, reason: sent };
    const message = sent === undefined ? 'is missing: send one of both' : 'differs: send one of both';
    for (const name of ['reason', 'revoke_reason'])
      context.addIssue({ code: 'custom', path: [name], message });
    return z.NEVER;
  })
  .meta({ id: 'Revocation' });
export type RevokeRequest = z.output<typeof revokeRequest>;

export const revokeResponse = z
  .object({ grant_id: z.string(), revoked_at: z.iso.datetime() })
  .meta({ id: 'RevokedGrant' });
export type RevokeResponse = z.output<typeof revokeResponse>;
