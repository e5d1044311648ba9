import { hasStringEqual, holdsId, withoutId } from '@billing/domain';
import type { UserKey } from '../change-user.ts';
import type { Database } from '../create-database.ts';
import { isLive } from '../customers/user-customer.ts';
import { jsonString } from './find-naming.ts';

/** As a part of a longer text. */
const inText = (userId: string): string[] => [jsonString(userId).slice(1, -1), encodeURIComponent(userId)];

/** Deletes the remembered answers of a project that hold the user's id, and what is kept of requests under way. */
export async function forgetAnswers(database: Database, { projectId, userId }: UserKey): Promise<number> {
  const rows = await database.$queryRaw<{ key: string; text: string }[]>`
    SELECT key, text FROM (
      SELECT key, concat_ws(' ', key, response::text, stripe_request::text) AS text
      FROM public.idempotency_keys WHERE project_id = ${projectId}) one
    WHERE EXISTS (SELECT FROM unnest(${[userId, ...inText(userId)]}::text[]) AS name WHERE strpos(text, name) > 0)`;
  const keys = rows
    .filter(({ text }) => [userId, ...inText(userId)].some((name) => holdsId(text, name)))
    .map(({ key }) => key);
  if (keys.length === 0) return 0;
  return database.$executeRaw`
    DELETE FROM public.idempotency_keys WHERE project_id = ${projectId} AND key = ANY(${keys}::text[])`;
}

type RunRow = {
  id: string;
  status: string;
  result: unknown;
  state: unknown;
  params: unknown;
  error: string | null;
};

/** Whether a run is in a step that it began before the erasure was requested: it may have to report what it saw of the user. */
async function isReporting(database: Database, runId: string): Promise<boolean> {
  const [row] = await database.$queryRaw<{ exists: boolean }[]>`
    SELECT EXISTS (SELECT FROM public.runs r WHERE r.status = 'running' AND r.kind <> 'erase'
      AND r.locked_until > clock_timestamp()
      AND r.progress_at < (SELECT created_at FROM public.runs WHERE id = ${runId})) AS exists`;
  return row?.exists === true;
}

/**
 * Takes the user's id out of what runs report. `isHeld`: a run under way reports it, or may do so, and would write it again: look
 * again later.
 */
export async function forgetInRuns(
  database: Database,
  { projectId, userId, runId }: UserKey & { runId: string },
): Promise<{ changed: number; isHeld: boolean }> {
  if (await isReporting(database, runId)) return { changed: 0, isHeld: true };
  const rows = await database.$queryRaw<RunRow[]>`
    SELECT id, status, result, state, params, error FROM (
      SELECT *, concat_ws(' ', result::text, state::text, params::text, error) AS text
      FROM public.runs WHERE project_id = ${projectId} OR project_id IS NULL) one
    WHERE EXISTS (SELECT FROM unnest(${inText(userId)}::text[]) AS name WHERE strpos(text, name) > 0)`;
  let changed = 0;
  let isHeld = false;
  for (const { id, status, ...before } of rows) {
    const after = {
      ...before,
      ...Object.fromEntries(Object.entries(before).map(([name, value]) => [name, withoutId(value, userId)])),
    };
    if (JSON.stringify(before) === JSON.stringify(after)) continue;
    if (status === 'running') {
      isHeld = true;
      continue;
    }
    changed += await database.$executeRaw`
      UPDATE public.runs SET result = ${JSON.stringify(after.result)}::jsonb, state = ${JSON.stringify(after.state)}::jsonb,
        params = ${JSON.stringify(after.params)}::jsonb, error = ${after.error}
      WHERE id = ${id} AND status <> 'running'`;
  }
  return { changed, isHeld };
}

type Subject = { subject: string; targetId: string; reason: string | null; details: unknown };

/** Empties the readable part of the audit entries that hold the user's id: in the project, or in none. */
export async function forgetInAudit(database: Database, { projectId, userId }: UserKey): Promise<number> {
  const rows = await database.$queryRaw<Subject[]>`
    SELECT s.subject::text AS subject, s.target_id AS "targetId", s.reason, s.details
    FROM public.audit_log l JOIN public.audit_subjects s USING (subject)
    WHERE (l.project_id = ${projectId} OR l.project_id IS NULL) AND s.erased_at IS NULL
      AND (s.target_id = ${userId} OR strpos(coalesce(s.reason, ''), ${userId}) > 0
        OR strpos(s.details::text, ${jsonString(userId)}) > 0)`;
  const subjects = rows
    .filter(
      ({ targetId, reason, details }) =>
        targetId === userId ||
        hasStringEqual(details, userId) ||
        (reason !== null && holdsId(reason, userId)),
    )
    .map(({ subject }) => subject);
  if (subjects.length === 0) return 0;
  const erased = await database.$queryRaw<{ isErased: boolean }[]>`
    SELECT public.erase_audit_subject(subject::uuid) AS "isErased" FROM unnest(${subjects}::text[]) AS subject`;
  return erased.filter(({ isErased }) => isErased).length;
}

/** Whether the cache is still to be told of the user. */
export async function hasPendingInvalidation(
  database: Database,
  { projectId, userId }: UserKey,
): Promise<boolean> {
  return (await database.cacheInvalidation.count({ where: { projectId, userId } })) > 0;
}

/** Whether so many milliseconds have passed since the run was requested, by Postgres's clock. */
export async function hasPassedSince(
  database: Database,
  { runId, ms }: { runId: string; ms: number },
): Promise<boolean> {
  const [row] = await database.$queryRaw<{ hasPassed: boolean }[]>`
    SELECT clock_timestamp() >= created_at + make_interval(secs => ${ms / 1000}::double precision) AS "hasPassed"
    FROM public.runs WHERE id = ${runId}`;
  return row?.hasPassed === true;
}

/** Of Stripe's customers those that nobody is mapped to and that pay for nobody's subscription. */
export async function findUnusedCustomers(database: Database, ids: readonly string[]): Promise<string[]> {
  const rows = await database.$queryRaw<{ id: string }[]>`
    SELECT id FROM unnest(${[...ids]}::text[]) AS id
    WHERE NOT EXISTS (SELECT FROM public.customers c WHERE c.stripe_customer_id = id AND c.user_ref IS NOT NULL)
      AND NOT EXISTS (SELECT FROM public.subscriptions s WHERE s.stripe_customer_id = id
        AND ${isLive})`;
  return rows.map((row) => row.id);
}
