import { reservationOut } from '@billing/domain';
import { z } from 'zod';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { ofReservation } from '../../usage/of-reservation.ts';
import { reservationAnswer } from '../../usage/take-usage.ts';
import { reservationExample } from './usage-examples.ts';

export const releaseReservation = defineEndpoint({
  method: 'post',
  path: '/api/v1/usage/reservations/{reservation_id}/release',
  operationId: 'releaseReservation',
  tag: 'Usage',
  summary: 'Give back what a reservation holds',
  access: { project: 'usage' },
  body: { schema: z.strictObject({}), example: {} },
  answers: [
    {
      status: 200,
      description: 'Released.',
      schema: reservationOut,
      example: { ...reservationExample, state: 'released' },
    },
  ],
  errors: ['reservation_not_found', 'reservation_closed', 'usage_unavailable'],
  handle: async (deps, { project: { projectId }, params: { reservation_id: reservationId } }) => {
    const key = await ofReservation(deps, projectId, reservationId);
    const command = { kind: 'release', reservationId } as const;
    return { body: reservationAnswer(await deps.takeUsage({ ...key, command })) };
  },
});
