import { createServer } from 'node:http';
import { host, port } from '../port.ts';

/** What Node's HTTP server costs by itself: a constant answer of the usual size. */
const text = JSON.stringify({ filler: 'x'.repeat(130) });
createServer((_request, response) => {
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}).listen(port, host);
