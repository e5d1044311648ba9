import { readBody, reply, serve } from '../http.ts';
import { createWebhookWork } from './same-work.ts';

const accept = createWebhookWork();
serve(async (request, response) => {
  const signature = request.headers['stripe-signature'];
  if (typeof signature !== 'string') {
    response.end();
    return;
  }
  reply(response, await accept(await readBody(request), signature));
});
