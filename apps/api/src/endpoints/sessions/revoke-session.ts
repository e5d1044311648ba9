import { dryRunQuery } from '@billing/domain';
import { revokeSession as revokeRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';

export const revokeSession = defineEndpoint({
  method: 'delete',
  path: '/api/v1/admin/sessions/{session_id}',
  operationId: 'revokeSession',
  tag: 'Console',
  summary: "End somebody's session",
  description: 'In force at once, everywhere. To keep the person out, take the name out of `ADMIN_API_KEY`.',
  access: { admin: 'admin' },
  takesDryRun: true,
  query: dryRunQuery,
  answers: [{ status: 204, description: 'Ended.' }],
  errors: ['session_not_found'],
  handle: async ({ database, clock, consoleMetrics }, { params, query, actor }) => {
    await revokeRow(database, { sessionId: params.session_id, now: clock(), actor });
    if (query.dry_run !== true) consoleMetrics.ended('revoked');
    return { body: undefined };
  },
});
