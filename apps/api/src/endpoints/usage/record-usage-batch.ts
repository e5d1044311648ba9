import {
  isId,
  ServiceError,
  toUseCommand,
  usageBatchOut,
  usageBatchRequest,
  usageEventRequest,
} from '@billing/domain';
import type { UsageBatchOut, UsageEventRequest } from '@billing/domain';
import type { EndpointDeps } from '../../http/define-endpoint.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { toServiceError } from '../../http/handle-failure.ts';
import { parseEntry } from '../../http/parse.ts';
import { addManyMs, queueUsage } from '../../usage/queue-usage.ts';
import { decideManyMs, eventAnswer } from '../../usage/take-usage.ts';
import { usageExample } from './usage-examples.ts';

const maxBytes = 2 * 1024 * 1024;

type Result = UsageBatchOut['results'][number];
type Entry = { request: UsageEventRequest } | { result: Result };

const idOf = (entry: unknown): string | null =>
  typeof entry === 'object' && entry !== null && 'event_id' in entry && isId(entry.event_id)
    ? entry.event_id
    : null;

const refusal = (eventId: string | null, { code, message }: ServiceError): Result => ({
  event_id: eventId,
  error: { code, detail: message },
});

/** A bad entry is refused by itself, with what is wrong with it. */
function readEntry(entry: unknown): Entry {
  const parsed = parseEntry(usageEventRequest, entry);
  if ('data' in parsed) return { request: parsed.data };
  const [{ path, message } = { path: '', message: 'it is not valid' }] = parsed.problems;
  const detail = `Correct ${path === '' ? 'the event' : `"${path}"`}: ${message}.`;
  return { result: { event_id: idOf(entry), error: { code: 'invalid_request', detail } } };
}

const otherProject = (): ServiceError =>
  new ServiceError('project_mismatch', 'Leave project_id out, or use the project of the API key.');

type Taken = { result: Result } | { away: UsageEventRequest; error: ServiceError };

async function take(
  { takeUsage, logger }: EndpointDeps,
  projectId: string,
  request: UsageEventRequest,
): Promise<Taken> {
  if (request.project_id !== undefined && request.project_id !== projectId)
    return { result: refusal(request.event_id, otherProject()) };
  const key = { projectId, userId: request.user_id, featureCode: request.feature_code };
  try {
    return { result: eventAnswer(await takeUsage({ ...key, command: toUseCommand(request) }, decideManyMs)) };
  } catch (failure) {
    const error = toServiceError(failure);
    if (error.code === 'usage_unavailable' && request.mode === 'record') return { away: request, error };
    if (error.code === 'internal_error') logger.error('usage_not_taken', { error: failure });
    return { result: refusal(request.event_id, error) };
  }
}

/** All that waits for Postgres goes to the queue at once. */
async function queueAway(deps: EndpointDeps, projectId: string, taken: readonly Taken[]): Promise<Result[]> {
  const away = taken.flatMap((one) => ('away' in one ? [one.away] : []));
  const all = { requests: away, withinMs: addManyMs };
  const queued = away.length === 0 ? [] : await queueUsage(deps, projectId, all).catch(() => null);
  let next = 0;
  return taken.map((one) => {
    if ('result' in one) return one.result;
    return queued?.[next++] ?? refusal(one.away.event_id, one.error);
  });
}

export const recordUsageBatch = defineEndpoint({
  method: 'post',
  path: '/api/v1/usage/batch',
  operationId: 'recordUsageBatch',
  tag: 'Usage',
  summary: 'Up to 500 events of usage',
  description:
    "Each is decided for itself, with the same answers as `POST /api/v1/usage`. One user's and feature's events take effect in the given order. Up to 2 MB.",
  access: { project: 'usage' },
  body: {
    schema: usageBatchRequest,
    example: { events: [{ user_id: 'user_1', feature_code: 'api_calls', event_id: 'req_1' }] },
    maxBytes,
    entries: 'events',
  },
  answers: [
    {
      status: 200,
      description: 'What became of each.',
      schema: usageBatchOut,
      example: { results: [usageExample] },
    },
  ],
  errors: [],
  handle: async (deps, { project: { projectId }, body }) => {
    const entries = body.events.map(readEntry);
    const taken = await Promise.all(
      entries.map((entry) =>
        'result' in entry ? Promise.resolve(entry) : take(deps, projectId, entry.request),
      ),
    );
    return { body: { results: await queueAway(deps, projectId, taken) } };
  },
});
