import { consoleSessionOut } from '@billing/domain';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { consoleSessionExample, presentAdmin } from './console-session.ts';

export const getConsoleSession = defineEndpoint({
  method: 'get',
  path: '/console/session',
  operationId: 'getConsoleSession',
  tag: 'Console',
  summary: 'Who is signed in to the console',
  access: 'console',
  answers: [
    { status: 200, description: 'This name.', schema: consoleSessionOut, example: consoleSessionExample },
  ],
  errors: [],
  handle: (_deps, { signedIn }) => ({ body: presentAdmin(signedIn.admin) }),
});
