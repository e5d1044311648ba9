import express from 'express';
import { host, port } from '../http.ts';
import { createWebhookWork } from './same-work.ts';

/** Express as it comes. */
const accept = createWebhookWork();
const app = express();
app.get('/ready', (_request, response) => void response.send('ready'));
app.post('/api/v1/webhooks/stripe', express.raw({ type: '*/*', limit: '1mb' }), async (request, response) => {
  const body: unknown = request.body;
  if (!Buffer.isBuffer(body)) throw new Error('no body');
  const { status, text } = await accept(body, request.get('stripe-signature'));
  response.status(status).type('application/json').send(text);
});
app.listen(port, host);
