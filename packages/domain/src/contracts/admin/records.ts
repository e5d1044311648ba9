import { z } from 'zod';
import { id, traceId } from '../../ids.ts';
import { timestamp } from '../../time.ts';
import { listOf, pageFields } from './listing.ts';

export const eventStatuses = ['applied', 'stale', 'ignored', 'quarantined', 'failed'] as const;
export type EventStatus = (typeof eventStatuses)[number];

export const eventsQuery = z.strictObject({
  status: z.enum(eventStatuses).optional(),
  type: id.optional().describe('Only events of this type, such as `invoice.paid`.'),
  object_id: id.optional().describe('Only events about this Stripe object, such as `sub_123`.'),
  trace_id: traceId
    .optional()
    .describe('Only events that a request of this trace brought: 32 lower-case hexadecimal digits.'),
  ...pageFields,
});
export type EventsQuery = z.output<typeof eventsQuery>;

export const eventOut = z
  .object({
    event_id: z.string(),
    type: z.string(),
    object_id: z.string().nullable(),
    status: z.enum(eventStatuses),
    reason: z.string().nullable(),
    created: z.iso.datetime(),
    received_at: z.iso.datetime(),
    processed_at: z.iso.datetime(),
    attempts: z.number().int(),
    trace_id: z
      .string()
      .nullable()
      .describe('Of the request that brought it: in its log lines and its trace. Null: it was not traced.'),
  })
  .meta({ id: 'Event' });
export type EventOut = z.output<typeof eventOut>;
export const eventList = listOf(eventOut).meta({ id: 'EventList' });

export const quarantineQuery = z.strictObject({ reason: id.optional(), ...pageFields });
export type QuarantineQuery = z.output<typeof quarantineQuery>;

export const quarantineOut = eventOut
  .extend({
    event_id: z
      .string()
      .nullable()
      .describe(
        "Null: the object itself waits. Stripe's lists brought it (reconcile, import), no event is quarantined.",
      ),
    type: z.string().nullable().describe('Null without an event.'),
    customer_id: z.string().nullable(),
    awaits: z.string().nullable().describe('The Stripe customer or price to map, which releases the event.'),
  })
  .meta({ id: 'QuarantinedEvent' });
export type QuarantineOut = z.output<typeof quarantineOut>;
export const quarantineList = listOf(quarantineOut).meta({ id: 'QuarantineList' });

export const auditQuery = z.strictObject({
  project_id: id.optional(),
  actor: id.optional(),
  action: id.optional(),
  target_type: id.optional().describe('The kind of object that was changed, such as `price`.'),
  target_id: id.optional(),
  from: timestamp('From this moment on (inclusive).').optional(),
  to: timestamp('Up to this moment (inclusive).').optional(),
  ...pageFields,
});
export type AuditQuery = z.output<typeof auditQuery>;

export const auditOut = z
  .object({
    audit_id: z.string(),
    at: z.iso.datetime(),
    actor: z.string(),
    action: z.string(),
    project_id: z.string().nullable(),
    target_type: z.string(),
    target_id: z.string().nullable().describe('Null: erased.'),
    reason: z.string().nullable(),
    details: z.record(z.string(), z.unknown()),
    request_id: z.string().nullable(),
    erased_at: z.iso
      .datetime()
      .nullable()
      .describe('When the readable part (`target_id`, `reason`, `details`) was erased.'),
  })
  .meta({ id: 'AuditEntry' });
export type AuditOut = z.output<typeof auditOut>;
export const auditList = listOf(auditOut).meta({ id: 'AuditList' });

export const auditExportQuery = z.strictObject({
  cursor: pageFields.cursor.unwrap().optional().meta({
    description:
      'The `x-next-cursor` of the previous page of this list; anything else is refused. Absent: from the start.',
    pattern: '^[A-Za-z0-9_-]+$',
  }),
  limit: z.coerce.number().int().min(1).max(1000).default(1000).describe('The most rows to return.'),
});
export type AuditExportQuery = z.output<typeof auditExportQuery>;

const auditProblemCodes = [
  'row_missing',
  'row_changed',
  'row_before_changed',
  'readable_part_missing',
  'readable_part_changed',
  'not_as_logged',
  'head_changed',
] as const;
export type AuditProblemCode = (typeof auditProblemCodes)[number];

/** What is wrong with a row of the audit log. */
export const auditProblemWords: Readonly<Record<AuditProblemCode, string>> = {
  row_missing: 'it is missing',
  row_changed: 'it was changed',
  row_before_changed: 'it does not follow the row before: that one was changed',
  readable_part_missing: 'its readable part is missing',
  readable_part_changed: 'its readable part was changed, and not erased',
  not_as_logged:
    'it is not the one whose digest was logged: it or a row before was changed, and all after it rewritten',
  head_changed: 'it is the last row, but not the one that the database notes as the last',
};

export const auditVerifyQuery = z.strictObject({
  after: z
    .string()
    .regex(/^[0-9]{1,18}:[0-9a-f]{64}$/)
    .optional()
    .describe(
      'A `head` that an answer gave, or that was written down: only rows after it are looked at. Absent: from the first row.',
    ),
});
export type AuditVerifyQuery = z.output<typeof auditVerifyQuery>;

export const auditVerificationOut = z
  .object({
    rows: z.number().int().describe('Looked at by this call, without a bad one.'),
    erased: z.number().int().describe('Of these, whose readable part is erased.'),
    head: z.string().describe('The number and digest of the last of them: the `after` of the next call.'),
    has_more: z.boolean().describe('Rows may be left: ask again.'),
    problem: z
      .object({ audit_id: z.string(), what: z.enum(auditProblemCodes), words: z.string() })
      .meta({ id: 'AuditProblem' })
      .nullable()
      .describe('The first bad row. Null: none of these; with `has_more: false`, none at all.'),
  })
  .meta({ id: 'AuditVerification' });
export type AuditVerificationOut = z.output<typeof auditVerificationOut>;

/** A line of the export; digests are SHA-256, in hex. */
export type AuditLine = AuditOut & {
  subject: string;
  subject_digest: string;
  previous_digest: string;
  digest: string;
};
