import { z } from 'zod';

import { readingsWithin, valueOf } from '../billing/meters.ts';
import { invalid } from '../errors.ts';
import { emit, emitChange } from '../events/emit.ts';
import { defineRoute, readRoutes } from '../http/define-route.ts';
import { list } from '../http/list.ts';
import { body, expandOnly, natural, pageBody, text } from '../http/params.ts';
import { newId } from '../ids.ts';
import type { Meter, MeterEventSummary } from '../stripe-objects.ts';
import type { World } from '../world.ts';

const key = z.string().min(1).max(100);
const createParams = body({
  display_name: z.string().min(1).max(250),
  event_name: z.string().min(1).max(100),
  default_aggregation: z.strictObject({ formula: z.enum(['count', 'last', 'sum']) }),
  customer_mapping: z.strictObject({ event_payload_key: key, type: z.enum(['by_id']) }).optional(),
  value_settings: z.strictObject({ event_payload_key: key }).optional(),
});

function create(world: World, params: z.infer<typeof createParams>): Meter {
  const { event_name: name } = params;
  const isTaken = world.tables.meters.all().some((one) => one.event_name === name && one.status === 'active');
  if (isTaken) throw invalid(`An active meter with the event name ${name} already exists.`, 'event_name');
  const now = world.clock.now();
  const meter = world.tables.meters.insert({
    id: newId('mtr_test'),
    object: 'billing.meter',
    created: now,
    customer_mapping: params.customer_mapping ?? { event_payload_key: 'stripe_customer_id', type: 'by_id' },
    default_aggregation: params.default_aggregation,
    display_name: params.display_name,
    event_name: name,
    event_time_window: null,
    livemode: false,
    status: 'active',
    status_transitions: { deactivated_at: null },
    updated: now,
    value_settings: params.value_settings ?? { event_payload_key: 'value' },
  });
  emit(world, 'billing.meter.created', meter);
  return meter;
}

function change(world: World, id: string, patch: Partial<Meter>, type: string): Meter {
  const before = world.tables.meters.require(id);
  const after = world.tables.meters.update(before, { ...patch, updated: world.clock.now() });
  emitChange(world, type, { before, after });
  return after;
}

const windows = { hour: 3_600, day: 86_400 } as const;
const summaryParams = pageBody({
  customer: text,
  start_time: natural,
  end_time: natural,
  value_grouping_window: z.enum(['hour', 'day']).optional(),
});
type SummaryParams = z.infer<typeof summaryParams>;

function checkTimes({
  start_time: start,
  end_time: end,
  value_grouping_window: window,
}: SummaryParams): void {
  const unit = window === undefined ? 60 : windows[window];
  const name = window ?? 'minute';
  for (const [param, time] of [
    ['start_time', start],
    ['end_time', end],
  ] as const)
    if (time % unit !== 0) throw invalid(`${param} must be aligned with ${name} boundaries.`, param);
  if (start >= end) throw invalid('start_time must be before end_time.', 'start_time');
}

/** One summary of the whole time, or one for each window with readings, newest first. */
function summaries(world: World, id: string, params: SummaryParams) {
  const meter = world.tables.meters.require(id);
  checkTimes(params);
  const customer = world.tables.customers.require(params.customer, 'customer').id;
  const { start_time: start, end_time: end, value_grouping_window: window } = params;
  const found = readingsWithin(world, { meter, customer, start, end });
  const length = window === undefined ? end - start : windows[window];
  const starts =
    window === undefined
      ? [start]
      : [...new Set(found.map((one) => one.timestamp - (one.timestamp % length)))].toSorted((a, b) => b - a);
  const rows = starts.map((from): MeterEventSummary => ({
    id: `mtrusg_test_${id.slice('mtr_test_'.length)}_${from}`,
    object: 'billing.meter_event_summary',
    aggregated_value: valueOf(
      meter,
      found.filter(({ timestamp: at }) => at >= from && at < from + length),
    ),
    end_time: from + length,
    livemode: false,
    meter: meter.id,
    start_time: from,
  }));
  const after = rows.findIndex((row) => row.id === params.starting_after) + 1;
  const limit = params.limit ?? 10;
  const url = `/v1/billing/meters/${id}/event_summaries`;
  return list(rows.slice(after, after + limit), rows.length > after + limit, url);
}

export const meterRoutes = [
  defineRoute('POST /v1/billing/meters', createParams, (world, _id, params) => create(world, params)),
  defineRoute('POST /v1/billing/meters/:id', body({ display_name: text.optional() }), (world, id, params) =>
    change(
      world,
      id,
      params.display_name === undefined ? {} : { display_name: params.display_name },
      'billing.meter.updated',
    ),
  ),
  defineRoute('POST /v1/billing/meters/:id/deactivate', expandOnly, (world, id) =>
    change(
      world,
      id,
      { status: 'inactive', status_transitions: { deactivated_at: world.clock.now() } },
      'billing.meter.deactivated',
    ),
  ),
  defineRoute('POST /v1/billing/meters/:id/reactivate', expandOnly, (world, id) =>
    change(
      world,
      id,
      { status: 'active', status_transitions: { deactivated_at: null } },
      'billing.meter.reactivated',
    ),
  ),
  defineRoute('GET /v1/billing/meters/:id/event_summaries', summaryParams, summaries),
  ...readRoutes('/v1/billing/meters', 'meters', {
    params: pageBody({ status: z.enum(['active', 'inactive']).optional() }),
    equal: ['status'],
  }),
];
