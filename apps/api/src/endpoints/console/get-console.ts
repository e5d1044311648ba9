import { defineEndpoint } from '../../http/define-endpoint.ts';

/** Mounted by hand: whatever is below it belongs to it. */
export const getConsole = defineEndpoint({
  method: 'get',
  path: '/console',
  operationId: 'getConsole',
  tag: 'Console',
  summary: 'The console, for operators',
  description: 'A page for the browser, and all addresses below it. Not there with `CONSOLE=false`.',
  access: 'open',
  answers: [{ status: 200, description: 'A page.', contentType: 'text/html' }],
  errors: [],
});
