import express from 'express';
import { z } from 'zod';
import { host, port } from '../http.ts';
import { sameWorkFromEnvironment } from './same-work.ts';

/** Express as it comes: no setting changed, no trick. */
const work = sameWorkFromEnvironment();
const query = z.object({ user_id: z.string() });
const app = express();

app.get('/ready', (_request, response) => void response.send('ready'));
app.get('/api/v1/entitlements', async (request, response) => {
  const { user_id: userId } = query.parse(request.query);
  const { status, text, requestId } = await work(request.headers.authorization, userId);
  response
    .status(status)
    .set({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-cache': 'hit',
      'x-request-id': requestId,
    })
    .type('application/json')
    .send(text);
});
app.listen(port, host);
