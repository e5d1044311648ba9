import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { host, port } from '../port.ts';
import { reply } from '../reply.ts';
import { readBody } from './read-body.ts';

/** Reads the body and answers. */
const text = JSON.stringify({ received: true });
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  await readBody(request);
  reply(response, { status: 200, text });
}

createServer((request, response) => void answer(request, response)).listen(port, host);
