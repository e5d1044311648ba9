import { exportRequest, exportResponse } from '@billing/domain';
import type { EntitlementsAnswer } from '@billing/domain';
import { exportUser as readAll, getProject } from '@billing/store';
import { checkEndsAt, withinDeadline } from '../../entitlements/fresh-reads.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { auditExample, presentAudit } from '../audit/list-audit.ts';
import { eventExample, presentEvent } from '../events/list-events.ts';
import { presentCustomer } from './get-user.ts';

export const exportUser = defineEndpoint({
  method: 'post',
  path: '/api/v1/admin/users/export',
  operationId: 'exportUser',
  tag: 'Access',
  summary: 'Everything about one user',
  description:
    'For a user who asks what is stored: rows as they are, with the events and the changes by hand that concern the user. Recorded in the audit log.',
  access: { admin: 'admin', limitedBy: 'body' },
  readsReplica: true,
  body: { schema: exportRequest, example: { project_id: 'shop', user_id: 'user_1' } },
  answers: [
    {
      status: 200,
      description: 'As it is stored now.',
      schema: exportResponse,
      example: {
        user: {
          project_id: 'shop',
          user_id: 'user_1',
          created_at: '2026-11-01T09:00:00.000Z',
          version: 7,
          customers: [],
          subscriptions: [],
          purchases: [],
          grants: [{ id: 'grant_8c1f', feature_code: 'premium_export', reason: 'Sorry for the outage' }],
          explanation: [],
          events: [{ ...eventExample, payload: {} }],
          audit: [auditExample],
          idempotency_keys: [],
          open_checkouts: [],
          usage: {},
          webhooks: {},
        },
      },
    },
  ],
  errors: ['project_not_found'],
  handle: async ({ database, reader, answers }, { body, actor }) => {
    const { project_id: projectId, user_id: userId } = body;
    await getProject(database, projectId);
    const user = await readAll(database, { projectId, userId }, { actor, reader });
    if (user === null) return { body: { user: null } };
    const fresh = await withinDeadline(answers.readFresh(projectId, userId), checkEndsAt());
    const answer: EntitlementsAnswer = JSON.parse(`${fresh.answer}}`);
    return {
      body: {
        user: {
          project_id: projectId,
          user_id: userId,
          created_at: user.createdAt.toISOString(),
          version: answer.version,
          customers: user.customers.map(presentCustomer),
          subscriptions: user.subscriptions,
          purchases: user.purchases,
          grants: user.grants,
          explanation: fresh.explanation,
          events: user.events.map((event) => ({ ...presentEvent(event), payload: event.payload })),
          audit: user.audit.map(presentAudit),
          idempotency_keys: user.idempotencyKeys,
          open_checkouts: user.openCheckouts,
          usage: user.usage,
          webhooks: user.webhooks,
        },
      },
    };
  },
});
