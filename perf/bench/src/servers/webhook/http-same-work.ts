import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { host, port } from '../port.ts';
import { reply } from '../reply.ts';
import { readBody } from './read-body.ts';
import { createWebhookWork } from './same-work.ts';

const accept = createWebhookWork();
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const signature = request.headers['stripe-signature'];
  if (typeof signature !== 'string') {
    response.end();
    return;
  }
  reply(response, await accept(await readBody(request), signature));
}

createServer((request, response) => void answer(request, response)).listen(port, host);
