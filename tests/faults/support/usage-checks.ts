import type { Stack } from './stack.ts';
import type { Acknowledged } from './usage-load.ts';

type StackParts = Pick<Stack, 'database'>;

/** Buckets that are not the sum of their events' parts, of all users: "states = fold(events)". */
const unfolded = `
  WITH stored AS (
    SELECT project_id, user_id, feature_code, b FROM public.usage_states, jsonb_array_elements(buckets) b
    UNION ALL SELECT project_id, user_id, feature_code, bucket FROM public.usage_ended_buckets),
  kept AS (
    SELECT project_id, user_id, feature_code, concat_ws(' ', b->>'source', b->>'period', b->>'start', b->>'sourceId') AS bucket,
      (b->>'used')::numeric AS used, (b->>'overage')::numeric AS overage, (b->>'held')::numeric AS held FROM stored),
  folded AS (
    SELECT project_id, user_id, feature_code, concat_ws(' ', p->>'source', p->>'period', p->>'start', p->>'sourceId') AS bucket,
      sum((p->>'quantity')::numeric) AS used, sum((p->>'overage')::numeric) AS overage
    FROM public.usage_events, jsonb_array_elements(parts) p GROUP BY 1, 2, 3, 4)
  SELECT user_id || ' ' || bucket || ': ' || coalesce(k.used, 0) || ' of ' || coalesce(f.used, 0) AS problem
  FROM kept k FULL JOIN folded f USING (project_id, user_id, feature_code, bucket)
  WHERE coalesce(k.used, 0) <> coalesce(f.used, 0) OR coalesce(k.overage, 0) <> coalesce(f.overage, 0)`;

const wrongParts = `
  SELECT user_id || ' ' || event_id || ': parts do not sum up' AS problem FROM public.usage_events
  WHERE quantity <> (SELECT coalesce(sum((p->>'quantity')::numeric), 0) FROM jsonb_array_elements(parts) p)`;

const doubled = `
  SELECT user_id || ' ' || event_id || ': ' || count(*) || ' rows' AS problem FROM public.usage_events
  WHERE kind <> 'reservation' GROUP BY project_id, user_id, event_id HAVING count(*) > 1`;

const wrongSequence = `
  SELECT user_id || ': ' || count(*) || ' events, sequence ' || max(s.usage_seq) AS problem
  FROM public.usage_states s JOIN public.usage_events e USING (project_id, user_id, feature_code)
  GROUP BY project_id, user_id, feature_code
  HAVING count(DISTINCT e.usage_seq) <> count(*) OR max(e.usage_seq) > max(s.usage_seq)`;

/** The series tells the same sum as the events. */
const wrongSeries = `
  WITH e AS (SELECT project_id, user_id, feature_code, sum(quantity) AS events FROM public.usage_events GROUP BY 1, 2, 3),
  s AS (SELECT project_id, user_id, feature_code, sum(quantity) AS slots FROM public.usage_slots GROUP BY 1, 2, 3)
  SELECT user_id || ': the series has ' || coalesce(slots, 0) || ' of ' || coalesce(events, 0) AS problem
  FROM e FULL JOIN s USING (project_id, user_id, feature_code) WHERE coalesce(events, 0) <> coalesce(slots, 0)`;

async function lostOrChanged({ database }: StackParts, seen: Acknowledged): Promise<string[]> {
  const { rows } = await database.pool.query<{ event_id: string; user_id: string; quantity: string }>(
    `SELECT event_id, user_id, quantity FROM public.usage_events WHERE kind = 'usage'`,
  );
  const stored = new Map(rows.map((row) => [row.event_id, row]));
  const promised = [...seen.taken, ...seen.queued].flatMap(([id, { userId, quantity }]) => {
    const row = stored.get(id);
    if (row === undefined) return [`${id} is lost`];
    return row.user_id === userId && Number(row.quantity) === quantity ? [] : [`${id} is stored otherwise`];
  });
  const refused = [...seen.denied]
    .filter((id) => stored.has(id))
    .map((id) => `${id} was refused, and stored`);
  return [...promised, ...refused];
}

/** All that is not as it must be: lost, doubled, or not the fold of the events. */
export async function usageProblems(stack: StackParts, seen: Acknowledged): Promise<string[]> {
  const problems: string[] = await lostOrChanged(stack, seen);
  for (const statement of [unfolded, wrongParts, doubled, wrongSequence, wrongSeries]) {
    const { rows } = await stack.database.pool.query<{ problem: string }>(statement);
    problems.push(...rows.map(({ problem }) => problem));
  }
  return [...problems, ...seen.fallen];
}
