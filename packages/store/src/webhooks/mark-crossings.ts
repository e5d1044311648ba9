/**
 * Marks of the rows `$crossings` whose type an endpoint wants at this moment. Looked up row by row: without crossings, which is
 * nearly always, it costs nothing.
 */
export const markCrossings = `
    INSERT INTO public.webhook_marks (project_id, user_id, crossing)
    SELECT n.project_id, n.user_id, jsonb_build_object('feature_code', n.feature_code, 'threshold', n.threshold, 'used', n.used,
      'granted', n.granted, 'source', n.source, 'source_id', n.source_id, 'period_start', n.period_start,
      'period_end', n.period_end, 'usage_seq', n.usage_seq)
    FROM json_to_recordset($crossings::json) AS n (project_id text, user_id text, feature_code text, usage_seq bigint,
      threshold integer, used bigint, granted bigint, source text, source_id text, period_start text, period_end text)
    WHERE (SELECT p.tells_changes AND EXISTS (SELECT FROM public.webhook_endpoints e
        WHERE e.project_id = p.id AND e.is_enabled AND e.deleted_at IS NULL AND e.event_types && ARRAY['*',
          CASE WHEN n.threshold IS NULL THEN 'usage.limit_reached' ELSE 'usage.threshold_reached' END])
      FROM public.projects p WHERE p.id = n.project_id)`;
