import { fastify } from 'fastify';
import { z } from 'zod';
import { host, port } from '../http.ts';
import { sameWorkFromEnvironment } from './same-work.ts';

const work = sameWorkFromEnvironment();
const query = z.object({ user_id: z.string() });
const app = fastify();

app.get('/ready', () => 'ready');
app.get('/api/v1/entitlements', async (request, reply) => {
  const { user_id: userId } = query.parse(request.query);
  const { status, text, requestId } = await work(request.headers.authorization, userId);
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
    .header('x-cache', 'hit')
    .header('x-request-id', requestId)
    .type('application/json; charset=utf-8')
    .send(text);
});
await app.listen({ port, host });
