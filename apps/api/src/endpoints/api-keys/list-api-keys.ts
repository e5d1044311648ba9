import { apiKeyList, pageQuery } from '@billing/domain';
import type { ApiKeyOut } from '@billing/domain';
import { getProject, listApiKeys as listRows } from '@billing/store';
import type { ApiKeyRow } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { pageExample, presentPage } from '../page.ts';

export const presentApiKey = (row: ApiKeyRow): ApiKeyOut => ({
  key_id: row.id,
  project_id: row.projectId,
  name: row.name,
  prefix: row.prefix,
  scopes: row.scopes,
  allowed_ips: row.allowedIps,
  rate_limit_per_second: row.rateLimitPerSecond,
  created_at: row.createdAt.toISOString(),
  expires_at: row.expiresAt?.toISOString() ?? null,
  revoked_at: row.revokedAt?.toISOString() ?? null,
  last_used_at: row.lastUsedAt?.toISOString() ?? null,
});

export const apiKeyExample = {
  key_id: 'key_4f1c9a',
  project_id: 'shop',
  name: 'Backend',
  prefix: 'proj_4Hf8Kq',
  scopes: ['read', 'checkout', 'usage'],
  allowed_ips: [],
  rate_limit_per_second: null,
  created_at: '2026-11-01T09:00:00.000Z',
  expires_at: null,
  revoked_at: null,
  last_used_at: '2026-11-22T10:00:00.000Z',
};

export const listApiKeys = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/projects/{project_id}/api-keys',
  operationId: 'listApiKeys',
  tag: 'Projects',
  summary: 'List API keys',
  access: { admin: 'viewer' },
  readsReplica: true,
  query: pageQuery,
  answers: [
    {
      status: 200,
      description: 'Oldest first, revoked ones too; never the keys themselves.',
      schema: apiKeyList,
      example: pageExample(apiKeyExample),
    },
  ],
  errors: ['project_not_found'],
  handle: async ({ database, reader }, { params: { project_id: projectId }, query }) => {
    await getProject(database, projectId);
    return { body: presentPage(await listRows(reader, { projectId, ...query }), presentApiKey) };
  },
});
