import { apiKeyPrefix, findUsersQuery, foundUserList, isWellFormedApiKey } from '@billing/domain';
import { findUsers as findRows } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample } from '../page.ts';

/** A key that somebody pasted whole is looked for by its prefix: the key itself belongs into no log. */
const withoutSecret = (query: string): string => (isWellFormedApiKey(query) ? apiKeyPrefix(query) : query);

export const findUsers = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/users',
  operationId: 'findUsers',
  tag: 'Access',
  summary: 'Find whose something is',
  description:
    'The first 100 that match, exactly. Recorded in the audit log. Of an API key the prefix is enough; a whole key is looked for, and recorded, by its prefix.',
  access: { admin: 'viewer', limitedBy: 'handler' },
  readsReplica: true,
  query: findUsersQuery,
  answers: [
    {
      status: 200,
      description: 'All that the id leads to, in one page; empty where nothing does.',
      schema: foundUserList,
      example: pageExample({
        project_id: 'shop',
        user_id: 'user_1',
        key_id: null,
        matched: 'subscription',
        matched_id: 'sub_123',
        owner_source: 'mapping',
      }),
    },
  ],
  errors: [],
  handle: async ({ database, reader, erasureKeys }, { query: sent, actor, onlyProject }) => {
    const query = { ...sent, query: withoutSecret(sent.query) };
    // A name that is limited to a project finds what is in it, whatever else it asks for.
    if (onlyProject !== null && (query.project_id ?? onlyProject) !== onlyProject)
      return { body: { data: [], next_cursor: null } };
    const asked = onlyProject === null ? query : { ...query, project_id: onlyProject };
    const rows = await findRows(database, asked, { actor, erasureKeys, reader });
    const data = rows.map((row) => ({
      project_id: row.projectId,
      user_id: row.userId,
      key_id: row.keyId,
      matched: row.matched,
      matched_id: row.matchedId,
      owner_source: row.ownerSource,
    }));
    return { body: { data, next_cursor: null } };
  },
});
