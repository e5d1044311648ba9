import { hash } from 'node:crypto';
import { Pool } from 'pg';
import { z } from 'zod';
import { readBody, reply, serve } from '../http.ts';

/**
 * What a product builds by itself first: one hand-written, prepared statement and one commit for each call. The event's id is
 * unique; no buckets, periods, sources, corrections or series, nothing that tells a repeated call its answer.
 */
const pool = new Pool({ connectionString: process.env['BENCH_DATABASE_URL'] ?? '', max: 10 });
const take = `
  WITH taken AS (
    UPDATE lean.balances SET used = used + $3::bigint
    WHERE user_id = $1 AND used + $3::bigint <= granted RETURNING used)
  INSERT INTO lean.usage_events (event_id, user_id, quantity)
  SELECT $2, $1, $3::bigint FROM taken ON CONFLICT DO NOTHING RETURNING quantity`;
const event = z.object({ user_id: z.string(), event_id: z.string(), quantity: z.number().default(1) });
const known = new Set([hash('sha256', process.env['BENCH_API_KEY'] ?? '')]);

serve(async (request, response) => {
  if (request.method !== 'POST') {
    response.end();
    return;
  }
  const token = request.headers.authorization?.slice('Bearer '.length) ?? '';
  const body = await readBody(request);
  if (!known.has(hash('sha256', token))) return reply(response, { status: 401, text: '{}' });
  const { user_id: userId, event_id: eventId, quantity } = event.parse(JSON.parse(body.toString('utf8')));
  const { rows } = await pool.query({ name: 'take', text: take, values: [userId, eventId, quantity] });
  const text = JSON.stringify({ event_id: eventId, recorded: rows.length === 1 });
  reply(response, { status: 200, text });
});
