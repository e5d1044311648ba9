import { fastify } from 'fastify';
import { host, port } from '../http.ts';
import type { Accepted } from './same-work.ts';

/** Fastify with one route, which hands the raw body and Stripe's signature to `accept`. */
export async function serveFastify(
  accept: (body: Buffer, signature: string) => Promise<Accepted>,
): Promise<void> {
  const app = fastify({ bodyLimit: 1024 * 1024 });
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  app.get('/ready', () => 'ready');
  app.post('/api/v1/webhooks/stripe', async (request, reply) => {
    const { body } = request;
    const signature = request.headers['stripe-signature'];
    if (!Buffer.isBuffer(body) || typeof signature !== 'string') return reply.code(400).send();
    const { status, text } = await accept(body, signature);
    return reply.code(status).type('application/json; charset=utf-8').send(text);
  });
  await app.listen({ port, host });
}
