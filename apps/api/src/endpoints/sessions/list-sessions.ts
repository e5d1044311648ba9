import { pageQuery, sessionList } from '@billing/domain';
import type { SessionOut } from '@billing/domain';
import { listSessions as listRows } from '@billing/store';
import type { SessionRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';

const presentSession = (row: SessionRow): SessionOut => ({
  session_id: row.id,
  name: row.name,
  created_at: row.createdAt.toISOString(),
  last_used_at: row.lastUsedAt.toISOString(),
  expires_at: row.expiresAt.toISOString(),
});

export const listSessions = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/sessions',
  operationId: 'listSessions',
  tag: 'Console',
  summary: 'Who is signed in',
  description: 'Sessions of the console that have not ended.',
  access: { admin: 'viewer' },
  query: pageQuery,
  answers: [
    {
      status: 200,
      description: 'Newest first.',
      schema: sessionList,
      example: pageExample({
        session_id: 'sess_8c1f',
        name: 'alice',
        created_at: '2026-11-22T10:00:00.000Z',
        last_used_at: '2026-11-22T10:20:00.000Z',
        expires_at: '2026-11-22T22:00:00.000Z',
      }),
    },
  ],
  errors: [],
  handle: async ({ database, clock, config }, { query }) => {
    const names = config.adminKeys.map(({ name }) => name);
    return { body: presentPage(await listRows(database, { ...query, names, now: clock() }), presentSession) };
  },
});
