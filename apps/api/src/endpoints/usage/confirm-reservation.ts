import { confirmRequest, reservationOut, toConfirmCommand } from '@billing/domain';
import { defineEndpoint } from '../../http/define-endpoint.ts';
import { ofReservation } from '../../usage/of-reservation.ts';
import { reservationAnswer } from '../../usage/take-usage.ts';
import { reservationExample } from './usage-examples.ts';

export const confirmReservation = defineEndpoint({
  method: 'post',
  path: '/api/v1/usage/reservations/{reservation_id}/confirm',
  operationId: 'confirmReservation',
  tag: 'Usage',
  summary: 'Record what was used of a reservation',
  description:
    'After it has expired, too: then it is `late`. Confirming one that was charged replaces the charge.',
  access: { project: 'usage' },
  body: { schema: confirmRequest, example: { quantity: 60 } },
  answers: [
    {
      status: 200,
      description: 'Confirmed.',
      schema: reservationOut,
      example: { ...reservationExample, state: 'confirmed', quantity: 60 },
    },
  ],
  errors: [
    'reservation_not_found',
    'reservation_closed',
    'insufficient_balance',
    'correction_too_large',
    'usage_unavailable',
  ],
  handle: async (deps, { project: { projectId }, params: { reservation_id: id }, body }) => {
    const key = await ofReservation(deps, projectId, id);
    return { body: reservationAnswer(await deps.takeUsage({ ...key, command: toConfirmCommand(id, body) })) };
  },
});
