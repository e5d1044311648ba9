import { createHash } from 'node:crypto';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageScript, pageStyle } from '../../openapi/page/assets.ts';

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

export const docs = defineEndpoint({
  method: 'get',
  path: '/docs',
  operationId: 'getDocs',
  tag: 'Operations',
  summary: 'This description for people',
  access: 'open',
  answers: [{ status: 200, description: 'A page.', contentType: 'text/html' }],
  errors: [],
  handle: ({ apiDescription }) => ({
    text: apiDescription.page,
    headers: { 'content-security-policy': pagePolicy },
  }),
});
