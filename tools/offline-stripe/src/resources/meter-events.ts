import { z } from 'zod';

import { invalid } from '../errors.ts';
import { defineRoute } from '../http/define-route.ts';
import { body, natural } from '../http/params.ts';
import { newId } from '../ids.ts';
import type { Meter, MeterEvent } from '../stripe-objects.ts';
import type { World } from '../world.ts';

const daySeconds = 86_400;
/** Stripe's limits: identifiers are remembered for a day; how old and how far ahead an event may be. */
const limits = { remembered: daySeconds, old: 35 * daySeconds, ahead: 300 } as const;

const createParams = body({
  event_name: z.string().min(1).max(100),
  payload: z.record(z.string().max(100), z.string().max(100)),
  identifier: z.string().min(1).max(100).optional(),
  timestamp: natural.optional(),
});
type CreateEvent = z.infer<typeof createParams>;

function meterOf(world: World, name: string): Meter {
  const named = world.tables.meters.newestFirst().filter((one) => one.event_name === name);
  const meter = named.find((one) => one.status === 'active');
  if (meter !== undefined) return meter;
  throw named.length === 0
    ? invalid(`No meter found with the event name ${name}.`, 'event_name', 'no_meter')
    : invalid(`The meter with the event name ${name} is inactive.`, 'event_name', 'archived_meter');
}

function checkTimestamp(timestamp: number, now: number): void {
  if (timestamp < now - limits.old)
    throw invalid(
      'The timestamp is too far in the past: it must be within the past 35 calendar days.',
      'timestamp',
      'timestamp_too_far_in_past',
    );
  if (timestamp > now + limits.ahead)
    throw invalid(
      'The timestamp is too far in the future: it must be at most 5 minutes in the future.',
      'timestamp',
      'timestamp_in_future',
    );
}

function readPayload(world: World, meter: Meter, payload: CreateEvent['payload']) {
  const { event_payload_key: customerKey } = meter.customer_mapping;
  const { event_payload_key: valueKey } = meter.value_settings;
  const customer = payload[customerKey];
  if (customer === undefined)
    throw invalid(`The payload lacks the key ${customerKey}.`, 'payload', 'meter_event_no_customer_defined');
  world.tables.customers.require(customer, `payload[${customerKey}]`);
  const value = payload[valueKey];
  if (meter.default_aggregation.formula === 'count' && value === undefined) return { customer, value: 1 };
  if (value === undefined || !/^-?\d{1,15}$/.test(value))
    throw invalid(
      `The payload's ${valueKey} must be a whole number.`,
      `payload[${valueKey}]`,
      'meter_event_invalid_value',
    );
  return { customer, value: Number(value) };
}

/** Negative values are taken: a period whose sum is negative is billed as 0. */
function create(world: World, params: CreateEvent): MeterEvent {
  const { event_name: name, payload } = params;
  const now = world.clock.now();
  const meter = meterOf(world, name);
  const timestamp = params.timestamp ?? now;
  checkTimestamp(timestamp, now);
  const read = readPayload(world, meter, payload);
  const identifier = params.identifier ?? newId('mev');
  const known = world.tables.meterIdentifiers.get(identifier);
  if (known !== undefined && now - known.at < limits.remembered)
    throw invalid(`An event already exists with identifier ${identifier}.`, 'identifier');
  world.tables.meterIdentifiers.insert({ id: identifier, at: now });
  world.tables.meterReadings.insert({ id: newId('mtrd'), event_name: name, timestamp, ...read });
  return {
    object: 'billing.meter_event',
    created: now,
    event_name: name,
    identifier,
    livemode: false,
    payload,
    timestamp,
  };
}

export const meterEventRoutes = [
  defineRoute('POST /v1/billing/meter_events', createParams, (world, _id, params) => create(world, params)),
];
