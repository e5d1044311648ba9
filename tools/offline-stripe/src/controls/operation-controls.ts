import { z } from 'zod';

import type { Agenda } from '../agenda.ts';
import { invalid } from '../errors.ts';
import type { Deliverer, WebhookTarget } from '../events/deliver.ts';
import { queueDelivery } from '../events/emit.ts';
import { faultBody, type Faults } from '../http/faults.ts';
import type { Store } from '../state/store.ts';
import type { World } from '../world.ts';
import { defineControl, nothing, type Control } from './control-router.ts';

const longestAdvanceSeconds = 20 * 366 * 86_400;

export type OperationDeps = {
  world: World;
  agenda: Agenda;
  faults: Faults;
  deliverer: Deliverer;
  target: WebhookTarget;
  store: Pick<Store, 'settings' | 'changeSettings'>;
};

const clockBody = z
  .strictObject({
    advance_seconds: z.number().int().min(0).max(longestAdvanceSeconds).optional(),
    to: z.union([z.number().int().min(0), z.iso.datetime({ offset: true })]).optional(),
  })
  .refine((body) => (body.advance_seconds === undefined) !== (body.to === undefined), {
    message: 'Give either advance_seconds (a whole number) or to (Unix seconds, or RFC 3339).',
  });

function targetOf(now: number, body: z.infer<typeof clockBody>): number {
  if (body.to === undefined) return now + (body.advance_seconds ?? 0);
  return typeof body.to === 'number' ? body.to : Math.floor(Date.parse(body.to) / 1000);
}

function moveClock(deps: OperationDeps, body: z.infer<typeof clockBody>): object {
  const { world } = deps;
  const now = world.clock.now();
  const target = targetOf(now, body);
  if (target < now) throw invalid(`The clock only moves forward: it is ${now} now.`, 'to');
  if (target > now + longestAdvanceSeconds)
    throw invalid('The clock moves 20 years at most in one step.', 'to');
  deps.agenda.runUntil(target);
  // Real seconds may have passed meanwhile: the offset moves by exactly what was asked.
  world.clock.setOffset(world.clock.offset() + (target - now));
  deps.store.changeSettings({ clock_offset_seconds: world.clock.offset() });
  return { now: world.clock.now() };
}

function stateOf(deps: OperationDeps): object {
  const { world } = deps;
  const sizes = Object.fromEntries(Object.values(world.tables).map((table) => [table.name, table.size()]));
  return {
    now: world.clock.now(),
    clock_offset_seconds: world.clock.offset(),
    webhooks: {
      enabled: deps.store.settings().webhooks_enabled,
      url: deps.target.url,
      pending: world.tables.deliveries.size(),
    },
    fault: deps.faults.current(),
    counts: sizes,
  };
}

/** Time, faults, deliveries. */
export function operationControls(deps: OperationDeps): Control[] {
  const { world } = deps;
  return [
    defineControl('GET /_offline/state', nothing, () => stateOf(deps)),
    defineControl('GET /_offline/clock', nothing, () => ({ now: world.clock.now() })),
    defineControl('POST /_offline/clock', clockBody, (_id, body) => moveClock(deps, body)),
    defineControl('POST /_offline/faults', faultBody, (_id, body) => {
      deps.faults.set(body);
      return body;
    }),
    defineControl('POST /_offline/events/:id/resend', nothing, (id) => {
      const event = world.tables.events.require(id);
      if (deps.target.url === null) throw invalid('There is no webhook receiver: set its URL first.');
      queueDelivery(world, id);
      return event;
    }),
    defineControl(
      'POST /_offline/webhooks',
      z.strictObject({
        enabled: z.boolean().optional(),
        drop_ratio: z.number().min(0).max(1).optional(),
        url: z.url({ protocol: /^https?$/ }).optional(),
        secret: z.string().min(1).optional(),
      }),
      (_id, body) => {
        if (body.url !== undefined) deps.target.url = body.url;
        if (body.secret !== undefined) deps.target.secret = body.secret;
        if (body.enabled !== undefined) deps.store.changeSettings({ webhooks_enabled: body.enabled });
        if (body.drop_ratio !== undefined) deps.store.changeSettings({ webhook_drop_ratio: body.drop_ratio });
        if (body.enabled === false) deps.deliverer.dropPending();
        return { enabled: deps.store.settings().webhooks_enabled, url: deps.target.url };
      },
    ),
  ];
}
