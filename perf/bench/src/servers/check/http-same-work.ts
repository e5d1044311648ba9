import { reply, serve } from '../http.ts';
import { sameWorkFromEnvironment } from './same-work.ts';

/** The same work on Node's own server. */
const work = sameWorkFromEnvironment();
const pathPrefix = '/api/v1/entitlements?user_id=';

serve(async ({ url = '', headers }, response) => {
  if (!url.startsWith(pathPrefix)) {
    response.end();
    return;
  }
  const found = await work(headers.authorization, decodeURIComponent(url.slice(pathPrefix.length)));
  reply(response, found, {
    'cache-control': 'no-store',
    'x-cache': 'hit',
    'x-request-id': found.requestId,
  });
});
