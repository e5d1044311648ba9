import { z } from 'zod';

import { invalid } from '../errors.ts';
import { queueDelivery } from '../events/emit.ts';
import { defineRoute } from '../http/define-route.ts';
import { page } from '../http/list.ts';
import { body, expandOnly, flag, listBody, text } from '../http/params.ts';

/** `charge.*` means all types that begin with `charge.`. */
function isOfType(type: string, wanted: string): boolean {
  return wanted.endsWith('.*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}

export const eventRoutes = [
  // What the Stripe CLI's `events resend` calls.
  defineRoute(
    'POST /v1/events/:id/retry',
    // Its listener and a webhook endpoint are the same here: the one receiver.
    body({ for_stripecli: flag.optional() }),
    (world, id) => {
      const event = world.tables.events.require(id);
      queueDelivery(world, id);
      return event;
    },
  ),
  defineRoute('GET /v1/events/:id', expandOnly, (world, id) => world.tables.events.require(id)),
  defineRoute(
    'GET /v1/events',
    listBody({
      type: text.optional(),
      types: z.array(text).max(20).optional(),
      delivery_success: flag.optional(),
    }),
    (world, _id, params) => {
      if (params.type !== undefined && params.types !== undefined) {
        throw invalid('You may only specify one of these parameters: type, types.', 'types');
      }
      const wanted = params.types ?? (params.type === undefined ? [] : [params.type]);
      return page(world.tables.events.newestFirst(), params, {
        url: '/v1/events',
        matches: (row) =>
          (wanted.length === 0 || wanted.some((type) => isOfType(row.type, type))) &&
          (params.delivery_success === undefined ||
            (world.tables.receipts.get(row.id) !== undefined) === params.delivery_success),
      });
    },
  ),
];
