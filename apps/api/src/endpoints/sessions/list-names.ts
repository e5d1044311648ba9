import { adminNameList } from '@billing/domain';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { consoleSessionExample, presentAdmin } from '../console/console-session.ts';

export const listNames = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/names',
  operationId: 'listNames',
  tag: 'Console',
  summary: 'Who may sign in',
  description:
    'The names of `ADMIN_API_KEY`, as the process that answers has them. A name with several secrets is there once for each of its roles and projects.',
  access: { admin: 'viewer' },
  answers: [
    {
      status: 200,
      description: 'In their order.',
      schema: adminNameList,
      example: { data: [consoleSessionExample] },
    },
  ],
  errors: [],
  handle: ({ config }) => {
    const names = config.adminKeys.map((one) => presentAdmin(one));
    const byContent = new Map(names.map((one) => [JSON.stringify(one), one]));
    return { body: { data: [...byContent.values()] } };
  },
});
