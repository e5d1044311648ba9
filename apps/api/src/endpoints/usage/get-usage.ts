import {
  defaultUsagePolicy,
  policyOverrides as overrides,
  toTimestamp,
  usageSeriesOut,
  usageSeriesQuery,
} from '@billing/domain';
import type { UsageSeriesQuery } from '@billing/domain';
import { getProject, readUsageSeries } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import type { Answer, EndpointDeps } from '../../http/define-endpoint.ts';

export const seriesAnswer = {
  status: 200,
  description: 'By when it happened.',
  schema: usageSeriesOut,
  example: { data: [{ start: '2026-11-22T00:00:00.000Z', quantity: 12 }] },
} satisfies Answer;

/** What was used, in the time zone of the project. Throws `project_not_found`. */
export async function answerSeries(
  { database }: Pick<EndpointDeps, 'database'>,
  projectId: string,
  query: Omit<UsageSeriesQuery, 'project_id'>,
) {
  const { policy } = await getProject(database, projectId);
  const key = { projectId, userId: query.user_id, featureCode: query.feature_code };
  const rows = await readUsageSeries(database, key, {
    ...query,
    timezone: overrides.parse(policy).usage_timezone ?? defaultUsagePolicy.usage_timezone,
  });
  return { body: { data: rows.map(({ start, quantity }) => ({ start: toTimestamp(start), quantity })) } };
}

export const getUsage = defineEndpoint({
  method: 'get',
  path: '/api/v1/usage',
  operationId: 'getUsage',
  tag: 'Usage',
  summary: 'What a user used of a feature, by hours, days or months',
  access: { project: 'read' },
  query: usageSeriesQuery,
  answers: [seriesAnswer],
  errors: [],
  handle: (deps, { project: { projectId }, query }) => answerSeries(deps, projectId, query),
});
