import { createHash, randomBytes } from 'node:crypto';
import { apiKeyPrefix, apiKeyRandomBytes, formatApiKey } from '@billing/domain';
import type { BenchEnvironment } from '../../environment/set-up.ts';
import { createHttpClient } from '../../load/http-client.ts';
import { idMark } from '../../load/id-mark.ts';

/** More than any run uses. */
const allowance = 1_000_000_000_000;
export const featureCode = 'calls';

/** A project whose users may use as much as there is. */
export type UsageShop = {
  apiKey: string;
  userIds: readonly string[];
  /** Used by nobody else. */
  hotUserId: string;
};

/** Writes the project, its key, a metered feature, and grants of it. */
export async function setUpUsage({ database }: BenchEnvironment, count: number): Promise<UsageShop> {
  const projectId = `usage_${randomBytes(4).toString('hex')}`;
  const apiKey = formatApiKey(randomBytes(apiKeyRandomBytes));
  const digest = createHash('sha256').update(apiKey).digest();
  await database.query('INSERT INTO public.projects (id, name) VALUES ($1, $1)', [projectId]);
  await database.query(
    'INSERT INTO public.api_keys (id, project_id, prefix, digest) VALUES ($1, $2, $3, $4)',
    [`key_${projectId}`, projectId, apiKeyPrefix(apiKey), digest],
  );
  await database.query(
    `INSERT INTO public.features (project_id, feature_code, kind, thresholds) VALUES ($1, $2, 'metered', '{80,100}')`,
    [projectId, featureCode],
  );
  const { rows } = await database.query<{ user_id: string }>(
    `WITH made AS (
       INSERT INTO public.users (project_id, user_id) SELECT $1, 'user_' || n FROM generate_series(0, $2::int) n
       RETURNING id, user_id),
     given AS (
       INSERT INTO public.grants (id, user_ref, feature_code, amount, valid_from, reason, granted_by)
       SELECT 'grant_' || $1 || '_' || id, id, $3, $4::bigint, now() - interval '1 day', 'bench', 'bench' FROM made)
     SELECT user_id FROM made`,
    [projectId, count, featureCode, allowance],
  );
  const [hotUserId = '', ...userIds] = rows.map(({ user_id }) => user_id);
  return { apiKey, userIds, hotUserId };
}

/** One enforced call of a user. */
export const takeOf = (userId: string): object => ({
  user_id: userId,
  feature_code: featureCode,
  event_id: idMark,
});

export const checkOf = (userId: string): string =>
  `/api/v1/check?user_id=${userId}&feature_code=${featureCode}`;

/** Throws unless each path is answered 200, the last time from the cache. */
export async function fillCache(url: string, apiKey: string, paths: readonly string[]): Promise<void> {
  const client = createHttpClient(url);
  const headers = { authorization: `Bearer ${apiKey}` };
  for (const path of paths) {
    const { status, text } = await client.send({ path, headers });
    if (status !== 200) throw new Error(`${path} answered ${status}: ${text}`);
  }
  client.close();
}
