import { reservationOut, reservationRequest, toReserveCommand } from '@billing/domain';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { reservationAnswer } from '../../usage/take-usage.ts';
import { reservationExample } from './usage-examples.ts';

export const createReservation = defineEndpoint({
  method: 'post',
  path: '/api/v1/usage/reservations',
  operationId: 'createReservation',
  tag: 'Usage',
  summary: 'Set usage apart before its size is known',
  description:
    'All or nothing: not enough is `state: denied`, and is not stored. What is held is not free until it is confirmed, released or expires.',
  access: { project: 'usage' },
  body: {
    schema: reservationRequest,
    example: { reservation_id: 'job_1', user_id: 'user_1', feature_code: 'api_calls', quantity: 100 },
  },
  answers: [
    { status: 200, description: 'Held, or denied.', schema: reservationOut, example: reservationExample },
  ],
  errors: ['feature_not_metered', 'reservation_conflict', 'too_many_reservations', 'usage_unavailable'],
  handle: async ({ takeUsage }, { project: { projectId }, body }) => {
    const key = { projectId, userId: body.user_id, featureCode: body.feature_code };
    return { body: reservationAnswer(await takeUsage({ ...key, command: toReserveCommand(body) })) };
  },
});
