import type { RequestListener } from 'node:http';
import cors from 'cors';
import type { RequestHandler } from 'express';

/** What a page may read. All else needs a key that does not belong into a page, or no key of a project. */
const openToPages = new Set(['/api/v1/entitlements', '/api/v1/entitlements/batch']);

const isOpenToPages = (url: string): boolean => openToPages.has(url.split('?', 1)[0] ?? '');

/**
 * Lets pages of these origins read entitlements (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol).
 * It wraps the app: within the app it would come before the hot route, and without origins it costs nothing. Any
 * other origin is answered as if CORS did not exist.
 */
export function allowOrigins(origins: readonly string[], app: RequestListener): RequestListener {
  if (origins.length === 0) return app;
  const allowed = new Set(origins);
  const addHeaders = cors({
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST'],
    allowedHeaders: ['authorization', 'content-type', 'x-request-id'],
    exposedHeaders: [
      'ratelimit-limit',
      'ratelimit-remaining',
      'ratelimit-reset',
      'retry-after',
      'x-cache',
      'x-request-id',
    ],
    maxAge: 600,
    preflightContinue: true,
  });
  return (request, response) => {
    const { origin } = request.headers;
    const isForPage = origin !== undefined && allowed.has(origin) && isOpenToPages(request.url ?? '');
    if (isForPage) addHeaders(request, response, () => app(request, response));
    else app(request, response);
  };
}

/** Answers a browser's preflight, whose headers `allowOrigins` has set; other OPTIONS go on. */
export const answerPreflight: RequestHandler = (_request, response, next) => {
  if (response.hasHeader('access-control-allow-origin')) response.status(204).end();
  else next();
};
