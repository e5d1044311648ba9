import { toTimestamp, usageEventList, usageEventsQuery } from '@billing/domain';
import type { UsageEventOut, UsageEventsQuery } from '@billing/domain';
import { listUsageEvents as listRows } from '@billing/store';
import type { StoredUsageEvent } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import type { Answer, EndpointDeps } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';

const present = (event: StoredUsageEvent): UsageEventOut => ({
  event_id: event.eventId,
  user_id: event.userId,
  feature_code: event.featureCode,
  kind: event.kind,
  mode: event.mode,
  quantity: event.quantity,
  timestamp: toTimestamp(event.at),
  recorded_at: toTimestamp(event.recordedAt),
  corrects: event.corrects,
  corrected: event.corrected,
  allowed: event.allowed,
  reason: event.reason,
  parts: event.parts.map((part) => ({
    source: part.source,
    source_id: part.sourceId,
    period_start: toTimestamp(part.start),
    quantity: part.quantity,
    overage: part.overage,
  })),
  properties: event.properties,
  usage_seq: event.usageSeq,
});

export const eventsAnswer = {
  status: 200,
  description: 'Newest first.',
  schema: usageEventList,
  example: pageExample({
    event_id: 'req_1',
    user_id: 'user_1',
    feature_code: 'api_calls',
    kind: 'usage',
    mode: 'enforce',
    quantity: 1,
    timestamp: '2026-11-22T10:00:00.000Z',
    recorded_at: '2026-11-22T10:00:00.000Z',
    corrects: null,
    corrected: 0,
    allowed: true,
    reason: 'within_allowance',
    parts: [
      {
        source: 'subscription',
        source_id: 'sub_1',
        period_start: '2026-11-01T00:00:00.000Z',
        quantity: 1,
        overage: 0,
      },
    ],
    properties: null,
    usage_seq: 12,
  }),
} satisfies Answer;

/** A page of the events that are remembered. */
export async function answerEvents(
  { database, clock, config }: Pick<EndpointDeps, 'database' | 'clock' | 'config'>,
  projectId: string,
  query: Omit<UsageEventsQuery, 'project_id'>,
) {
  const key = { projectId, userId: query.user_id, featureCode: query.feature_code };
  const rememberedSince = new Date(Math.max(0, clock() - config.usage.retentionMs));
  const page = await listRows(database, key, { ...query, rememberedSince });
  return { body: presentPage(page, present) };
}

export const listUsageEvents = defineEndpoint({
  method: 'get',
  path: '/api/v1/usage/events',
  operationId: 'listUsageEvents',
  tag: 'Usage',
  summary: 'The events of a user and feature',
  access: { project: 'read' },
  query: usageEventsQuery,
  answers: [eventsAnswer],
  errors: [],
  handle: (deps, { project: { projectId }, query }) => answerEvents(deps, projectId, query),
});
