import { z } from 'zod';
import { id, text } from '../../ids.ts';
import { explanationOut } from '../entitlements.ts';
import { dryRun } from './dry-run.ts';
import { auditOut, eventOut } from './records.ts';
import { userCustomerOut } from './users.ts';

export const eraseRequest = z
  .strictObject({
    project_id: id,
    user_id: id,
    reason: text,
    stripe: z
      .boolean()
      .default(false)
      .describe(
        "True: the user's customers are deleted at Stripe too, unless another project's user is mapped to them.",
      ),
    dry_run: dryRun,
  })
  .meta({ id: 'Erasure' });
export type EraseRequest = z.output<typeof eraseRequest>;

export const exportRequest = z.strictObject({ project_id: id, user_id: id }).meta({ id: 'ExportRequest' });
export type ExportRequest = z.output<typeof exportRequest>;

const storedRow = z.record(z.string(), z.unknown());

/** All that is stored about a user, as it is stored: rows with the columns' names. */
export const exportedUserOut = z
  .object({
    project_id: z.string(),
    user_id: z.string(),
    created_at: z.iso.datetime(),
    version: z.number().int(),
    customers: z.array(userCustomerOut),
    subscriptions: z.array(storedRow).describe('Each with its `items`.'),
    purchases: z.array(storedRow).describe('Each with its `items`.'),
    grants: z.array(storedRow),
    explanation: z.array(explanationOut).describe('What each of these gives the user now, and why.'),
    events: z
      .array(eventOut.extend({ payload: z.unknown().describe('What is kept of the event.') }))
      .describe('Events of Stripe that name the user, or what the user has.'),
    audit: z.array(auditOut).describe('Changes by hand that name the user, or what the user has.'),
    idempotency_keys: z.array(storedRow).describe('Checkouts of the last day.'),
    open_checkouts: z.array(storedRow).describe('Pages of Stripe that were made last.'),
    usage: z.record(z.string(), z.array(storedRow)).describe('Usage: rows of the tables by their names.'),
    webhooks: z
      .record(z.string(), z.array(storedRow))
      .describe('What the product was told: rows of the tables by their names.'),
  })
  .meta({ id: 'ExportedUser' });
export type ExportedUserOut = z.output<typeof exportedUserOut>;

export const exportResponse = z
  .object({ user: exportedUserOut.nullable().describe('Null: nobody has heard of the user.') })
  .meta({ id: 'UserExport' });
