import { userOut } from '@billing/domain';
import type { EntitlementsAnswer } from '@billing/domain';
import { readUser } from '@billing/store';
import type { MappedCustomer } from '@billing/store';
import { checkEndsAt, withinDeadline } from '../../entitlements/fresh-reads.ts';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { auditExample, presentAudit } from '../audit/list-audit.ts';
import { entitlementsExample } from '../entitlements/check-entitlements.ts';
import { eventExample, presentEvent } from '../events/list-events.ts';

export const presentCustomer = (one: MappedCustomer) => ({
  stripe_customer_id: one.stripeCustomerId,
  source: one.source,
  created_at: one.createdAt.toISOString(),
  deleted_at: one.deletedAt?.toISOString() ?? null,
});

export const getUser = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/users/{project_id}/{user_id}',
  operationId: 'getUser',
  tag: 'Access',
  summary: 'All about one user',
  description:
    'Customers, sources with their explanation, the newest events and changes by hand. Recorded in the audit log.',
  access: { admin: 'viewer' },
  answers: [
    {
      status: 200,
      description: 'As it is stored now.',
      schema: userOut,
      example: {
        project_id: 'shop',
        user_id: 'user_1',
        created_at: '2026-11-01T09:00:00.000Z',
        version: 7,
        customers: [
          {
            stripe_customer_id: 'cus_123',
            source: 'checkout',
            created_at: '2026-11-01T09:00:00.000Z',
            deleted_at: null,
          },
        ],
        buyer_hints: [],
        entitlements: entitlementsExample.entitlements,
        explanation: [],
        events: [eventExample],
        audit: [auditExample],
      },
    },
  ],
  errors: ['user_not_found'],
  handle: async ({ database, answers }, { params, actor }) => {
    const { project_id: projectId, user_id: userId } = params;
    const user = await readUser(database, { projectId, userId }, actor);
    const fresh = await withinDeadline(answers.readFresh(projectId, userId), checkEndsAt());
    const answer: EntitlementsAnswer = JSON.parse(`${fresh.answer}}`);
    return {
      body: {
        project_id: projectId,
        user_id: userId,
        created_at: user.createdAt.toISOString(),
        version: answer.version,
        customers: user.customers.map(presentCustomer),
        buyer_hints: user.hinted.map((one) => ({
          source: one.source,
          source_id: one.sourceId,
          stripe_customer_id: one.stripeCustomerId,
          status: one.status,
          created_at: one.createdAt.toISOString(),
        })),
        entitlements: answer.entitlements,
        explanation: fresh.explanation,
        events: user.events.map(presentEvent),
        audit: user.audit.map(presentAudit),
      },
    };
  },
});
