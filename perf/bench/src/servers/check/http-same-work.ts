import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { host, port } from '../port.ts';
import { reply } from '../reply.ts';
import { sameWorkFromEnvironment } from './same-work.ts';

/** The floor: nothing but the work on Node's own server. */
const work = sameWorkFromEnvironment();
const question = '/api/v1/entitlements?user_id=';

async function answer({ url = '', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!url.startsWith(question)) {
    response.end();
    return;
  }
  const found = await work(headers.authorization, decodeURIComponent(url.slice(question.length)));
  reply(response, found, {
    'cache-control': 'no-store',
    'x-cache': 'hit',
    'x-request-id': found.requestId,
  });
}

createServer((request, response) => void answer(request, response)).listen(port, host);
