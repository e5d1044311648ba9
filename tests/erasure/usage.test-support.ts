import { randomUUID } from 'node:crypto';
import { waitFor } from '@billing/testing';
import request from 'supertest';
import type { WholeSystem } from '../journeys/whole-system.test-support.ts';

/** Of a table and its partitions, in an export. */
export const usageTables = [
  'usage_states',
  'usage_ended_buckets',
  'usage_events',
  'usage_slots',
  'usage_reservations',
  'usage_crossings',
  'usage_refusals',
  'usage_meter_hours',
  'usage_meter_reports',
];

/** Meters `calls`, and counts `seats`, of the product. */
export async function meter(
  system: WholeSystem,
  { projectId, productId }: { projectId: string; productId: string },
): Promise<void> {
  const features = [
    {
      feature_code: 'calls',
      kind: 'metered',
      thresholds: [50],
      stripe_meter: { event_name: 'calls', report: 'all' },
    },
    { feature_code: 'seats', kind: 'limit', counted: true },
  ];
  for (const feature of features)
    await system.admin('post', `/projects/${projectId}/features`, feature).expect(201);
  const settings = [
    { feature_code: 'calls', allowance: 10, period: 'month' },
    { feature_code: 'seats', limit: 3 },
  ];
  await system
    .admin('patch', `/projects/${projectId}/products/${productId}`, { features: settings })
    .expect(200);
}

/** Leaves a row of the user in each table of usage, and copies in Redis. */
export async function useAll(
  system: WholeSystem,
  { projectId, apiKey }: { projectId: string; apiKey: string },
  userId: string,
): Promise<void> {
  const { database, usageEvents } = system.deps;
  const call = (method: 'get' | 'post' | 'put', path: string) =>
    request(system.url)[method](`/api/v1${path}`).set('authorization', `Bearer ${apiKey}`);
  const take = (fields: object) =>
    call('post', '/usage')
      .send({ user_id: userId, feature_code: 'calls', event_id: `event of ${userId}`, ...fields })
      .expect(200);
  const reserve = (reservationId: string) =>
    call('post', '/usage/reservations')
      .send({ user_id: userId, feature_code: 'calls', quantity: 1, reservation_id: reservationId })
      .expect(200);
  await take({ quantity: 6, properties: { by: userId } });
  const correction = randomUUID();
  await take({ event_id: correction, quantity: -1, corrects: `event of ${userId}` });
  await reserve(`held by ${userId}`);
  const confirmed = `confirmed by ${userId}`;
  await reserve(confirmed);
  await call('post', `/usage/reservations/${encodeURIComponent(confirmed)}/confirm`)
    .send({})
    .expect(200);
  await call('put', '/usage/level')
    .send({
      user_id: userId,
      feature_code: 'seats',
      level: 2,
      observed_at: new Date().toISOString(),
      event_id: randomUUID(),
    })
    .expect(200);
  // Queued, and refused: the id is that of another event.
  const conflicting = { user_id: userId, feature_code: 'calls', event_id: correction, quantity: 2 };
  await usageEvents.add(
    {
      name: 'usage',
      data: {
        project_id: projectId,
        request: { ...conflicting, mode: 'record' },
        received_at: new Date().toISOString(),
      },
    },
    { deadlineMs: 2_000 },
  );
  const theirs = { where: { projectId, userId } };
  await waitFor(async () => (await database.usageRefusal.count(theirs)) > 0, { what: 'the refusal' });
  await writeOlder(system, { projectId, userId });
  for (const code of ['calls', 'seats', 'monthly', 'never described'])
    await call('get', '/check').query({ user_id: userId, feature_code: code }).expect(200);
  await call('get', '/entitlements').query({ user_id: userId, include: 'usage' }).expect(200);
}

/** What only time makes: a period that ended, a report to a meter, and what a process whose clock is ahead wrote. */
async function writeOlder(
  { deps: { database } }: WholeSystem,
  { projectId, userId }: { projectId: string; userId: string },
): Promise<void> {
  const key = { projectId, userId, featureCode: 'calls' };
  const at = new Date();
  await database.usageEndedBucket.create({ data: { ...key, bucketKey: 'old', endedAt: at, bucket: {} } });
  await database.usageMeterReport.create({
    data: {
      ...key,
      hour: at,
      sequence: 1,
      quantity: 1n,
      stampedAt: at,
      eventName: 'calls',
      report: 'all',
      state: 'too_late',
      endedAt: at,
      createdAt: at,
      inDoubtSince: at,
      lookAt: at,
    },
  });
  const soon = new Date(at.getTime() + 20 * 60_000);
  await database.usageSlot.create({ data: { ...key, start: soon, quantity: 1n, overage: 0n } });
  const event = { ...key, usageSeq: 1_000_000n, recordedAt: soon, eventId: `ahead of ${userId}` };
  await database.usageEventId.create({ data: event });
  await database.$executeRaw`
    INSERT INTO public.usage_events SELECT (jsonb_populate_record(e, ${JSON.stringify({
      usage_seq: 1_000_000,
      recorded_at: soon,
      event_id: event.eventId,
    })}::jsonb)).*
    FROM public.usage_events e WHERE e.project_id = ${projectId} AND e.user_id = ${userId} AND e.event_id = ${`event of ${userId}`}`;
}
