import { createServer } from 'node:http';
import { host, port } from '../port.ts';
import { sameWorkFromEnvironment } from './same-work.ts';

/** The floor: nothing but the work on Node's own server. */
const work = sameWorkFromEnvironment();
const question = '/api/v1/entitlements?user_id=';

createServer((request, response) => {
  const { url = '', headers } = request;
  if (!url.startsWith(question)) {
    response.writeHead(200).end();
    return;
  }
  void work(headers.authorization, decodeURIComponent(url.slice(question.length))).then(
    ({ status, text, requestId }) => {
      response.writeHead(status, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(text),
        'cache-control': 'no-store',
        'x-cache': 'hit',
        'x-request-id': requestId,
      });
      response.end(text);
    },
  );
}).listen(port, host);
