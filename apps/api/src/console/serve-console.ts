import { randomBytes } from 'node:crypto';
import { ServiceError } from '@billing/domain';
import type { Request, RequestHandler, Response } from 'express';
import type { AppDeps } from '../deps.ts';
import { getConsole } from '../endpoints/console/get-console.ts';
import { createConsoleFiles, indexPage } from './console-files.ts';
import type { ConsoleFile } from './console-files.ts';

/** In the page, where the build leaves a place for it. */
const nonceMark = '__CSP_NONCE__';

/** Nothing inline but the styles that carry the page's nonce, and nothing from another host. */
const policyOf = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join('; ');

const notBuilt = (): ServiceError =>
  new ServiceError(
    'route_not_found',
    'The console is not built here: `npm run build` makes apps/console/dist, and the image of the API has it. CONSOLE=false takes this address away.',
  );

type Exchange = { request: Request; response: Response };

function send({ request, response }: Exchange, headers: Record<string, string>, body: Buffer): void {
  // As Express does: metrics and the access log name the route, not the file.
  Reflect.set(request, 'route', { path: getConsole.path });
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('content-length', body.length);
  response.status(200).end(request.method === 'HEAD' ? undefined : body);
}

function sendFile(exchange: Exchange, { body, gzipped, type, cacheControl }: ConsoleFile): void {
  const takesGzip = exchange.request.acceptsEncodings('gzip') === 'gzip';
  const headers = { 'content-type': type, 'cache-control': cacheControl, vary: 'accept-encoding' };
  if (gzipped === null || !takesGzip) send(exchange, headers, body);
  else send(exchange, { ...headers, 'content-encoding': 'gzip' }, gzipped);
}

function sendPage(exchange: Exchange, { body, type }: ConsoleFile): void {
  const nonce = randomBytes(18).toString('base64');
  const headers = {
    'content-type': type,
    'content-security-policy': policyOf(nonce),
    // With `no-referrer` some requests of the page itself would have the origin `null`.
    'referrer-policy': 'same-origin',
  };
  send(exchange, headers, Buffer.from(body.toString('utf8').replaceAll(nonceMark, nonce)));
}

/**
 * The pages of the console, to be mounted at its path: files of the build by their names, and the page itself at every other address
 * below, which its own script then reads.
 */
export function serveConsole({ config }: Pick<AppDeps, 'config'>): RequestHandler {
  const { directory } = config.console;
  const files = createConsoleFiles({ directory, isFixed: config.environment === 'production' });
  return async (request, response, next) => {
    const path = request.path.slice(1);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isRead || /^session\/?$/.test(path)) return next();
    const file = path === '' || path === indexPage ? null : await files.find(path);
    if (file !== null) return sendFile({ request, response }, file);
    // A page in place of a script that an older build had would only confuse.
    if (path.startsWith('assets/')) return next();
    const page = await files.find(indexPage);
    if (page === null) throw notBuilt();
    sendPage({ request, response }, page);
  };
}
