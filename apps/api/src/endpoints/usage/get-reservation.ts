import { reservationOut } from '@billing/domain';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { readReservation } from '../../usage/of-reservation.ts';
import { reservationExample } from './usage-examples.ts';

export const getReservation = defineEndpoint({
  method: 'get',
  path: '/api/v1/usage/reservations/{reservation_id}',
  operationId: 'getReservation',
  tag: 'Usage',
  summary: 'A reservation as it stands now',
  access: { project: 'read' },
  answers: [
    { status: 200, description: 'The reservation.', schema: reservationOut, example: reservationExample },
  ],
  errors: ['reservation_not_found', 'usage_unavailable'],
  handle: async (deps, { project: { projectId }, params }) => ({
    body: await readReservation(deps, projectId, params.reservation_id),
  }),
});
