import { randomUUID } from 'node:crypto';
import { ServiceError } from '@billing/domain';
import type { AdjustRequest, Instant, UsageOut } from '@billing/domain';
import { writeAudit } from '../audit.ts';
import type { Actor } from '../audit.ts';
import { projectNotFound } from '../change-user.ts';
import type { Database, Queries } from '../create-database.ts';
import { isTrial, noteUsers } from '../dry-run.ts';
import type { QueryJson } from '../query-json.ts';
import { readSources } from '../read-sources.ts';
import { makeStates } from './state-rows.ts';
import { takeBatch } from './take-batch.ts';
import type { ChangedAccount, TakeOptions } from './take-batch.ts';
import type { UsageCache, UsageMark } from './usage-cache.ts';
import type { UsageSettings } from './usage-settings.ts';
import { lacksUsageWeek, makeUsageWeek, weekOf } from './usage-weeks.ts';

/** The user's sources changed while the adjustment began: it begins again. */
class SourcesChanged extends Error {
  override readonly name = 'SourcesChanged';
}

const maxAttempts = 5;

/** Statements of one JSON value in a transaction of Prisma's client, which other writes are a part of. */
const queryOf =
  (tx: Queries): QueryJson =>
  async <T>(statement: Parameters<QueryJson>[0]): Promise<T> => {
    const [row] = await tx.$queryRaw<Record<string, T>[]>(statement);
    const [value] = row === undefined ? [] : Object.values(row);
    if (value === undefined) throw new Error('a statement returned no JSON');
    return value;
  };

type Adjusting = {
  actor: Actor;
  now: Instant;
  settings: UsageSettings;
  cache: UsageCache;
};

/** What the cache was told before the commit, and is to have after it. */
type Told = { mark: UsageMark | null; changed: readonly ChangedAccount[] };

async function decide(
  query: QueryJson,
  request: AdjustRequest & { event_id: string },
  { now, settings, cache, told }: Adjusting & { told: Told | null },
): Promise<UsageOut> {
  const { project_id: projectId, user_id: userId, feature_code: featureCode } = request;
  const sources = (await readSources({ $queryJson: query }, projectId, [userId])).get(userId);
  if (sources === undefined) throw projectNotFound();
  const key = { projectId, userId, featureCode };
  const { event_id: eventId, quantity, reason } = request;
  const command = { kind: 'adjust', eventId, quantity, reason } as const;
  const mark: TakeOptions['mark'] = async (changed) => {
    if (told === null) return true;
    told.changed = changed;
    told.mark = await cache.mark(changed);
    return told.mark !== null;
  };
  const { results } = await takeBatch(
    query,
    { accounts: [{ ...key, sources }], commands: [{ ...key, command }], isPatient: true },
    { settings, now, mark },
  );
  const [result] = results;
  if (result === null || result === undefined) throw new SourcesChanged();
  if (result.kind === 'refused') throw new ServiceError(result.code, result.detail);
  if (result.kind === 'failed') throw result.error;
  if (result.kind !== 'event') throw new Error('an adjustment is an event');
  return result.answer;
}

async function adjust(
  tx: Queries,
  request: AdjustRequest & { event_id: string },
  adjusting: Adjusting & { told: Told },
): Promise<UsageOut> {
  const { project_id: projectId, user_id: userId, feature_code: featureCode, quantity, reason } = request;
  await makeStates(tx, [{ projectId, userId, featureCode }]);
  const told = isTrial(tx) ? null : adjusting.told;
  const answer = await decide(queryOf(tx), request, { ...adjusting, told });
  if (answer.duplicate) return answer;
  noteUsers(tx, [{ projectId, userId }]);
  const used = answer.balance?.used ?? 0;
  await writeAudit(tx, {
    actor: adjusting.actor,
    action: 'usage.adjust',
    projectId,
    target: { type: 'user', id: userId },
    reason,
    change: { before: { used: used - quantity }, after: { used } },
    details: { user_id: userId, feature_code: featureCode, quantity, event_id: request.event_id },
  });
  return answer;
}

/**
 * An operator's change of what was used, audited. Throws what refuses it, and `project_not_found`. In a trial nothing is
 * kept, and the cache is told nothing.
 */
export async function adjustUsage(
  database: Database,
  asked: AdjustRequest,
  adjusting: Adjusting,
): Promise<UsageOut> {
  const request = { ...asked, event_id: asked.event_id ?? `adjustment_${randomUUID().replaceAll('-', '')}` };
  for (let attempt = 1; ; attempt += 1) {
    const told: Told = { mark: null, changed: [] };
    try {
      const answer = await database.$transaction((tx) => adjust(tx, request, { ...adjusting, told }));
      void adjusting.cache.store(told.mark, told.changed);
      return answer;
    } catch (error) {
      if (attempt >= maxAttempts) throw error;
      if (lacksUsageWeek(error)) await makeUsageWeek(database, weekOf(adjusting.now));
      else if (!(error instanceof SourcesChanged)) throw error;
    }
  }
}
