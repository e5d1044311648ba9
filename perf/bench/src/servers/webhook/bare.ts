import { readBody, reply, serve } from '../http.ts';

/** Reads the body and answers. */
const text = JSON.stringify({ received: true });
serve(async (request, response) => {
  await readBody(request);
  reply(response, { status: 200, text });
});
