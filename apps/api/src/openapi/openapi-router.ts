import { createHash } from 'node:crypto';
import { Router } from 'express';
import { mountRoute } from '../http/mount-route.ts';
import { createOpenApiDocument } from './create-document.ts';
import { pageScript, pageStyle } from './page/assets.ts';
import { renderPage } from './page/render-page.ts';

const sourceOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Only what is in the page itself: no asset from anywhere, no frames, no forms. */
const pagePolicy = [
  "default-src 'none'",
  `style-src ${sourceOf(pageStyle)}`,
  `script-src ${sourceOf(pageScript)}`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** `GET /openapi.json` and `GET /docs`. */
export function createOpenApiRouter(): Router {
  const router = Router({ caseSensitive: true });
  const document = createOpenApiDocument();
  const json = JSON.stringify(document);
  const page = renderPage(document);
  mountRoute(router, '/openapi.json', {
    get: (_request, response) => {
      response.setHeader('content-type', 'application/json; charset=utf-8');
      response.end(json);
    },
  });
  mountRoute(router, '/docs', {
    get: (_request, response) => {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.setHeader('content-security-policy', pagePolicy);
      response.end(page);
    },
  });
  return router;
}
