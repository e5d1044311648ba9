import type { QuarantineOut } from '@billing/domain';
import { byAwaited } from '../src/pages/quarantine/waiting.ts';

const row = (id: string, given: Partial<QuarantineOut>): QuarantineOut => ({
  event_id: id,
  type: 'invoice.paid',
  object_id: `sub_${id}`,
  status: 'quarantined',
  reason: 'unknown_customer',
  created: '2026-11-22T10:00:00.000Z',
  received_at: '2026-11-22T10:00:00.000Z',
  processed_at: '2026-11-22T10:00:00.000Z',
  attempts: 1,
  trace_id: null,
  customer_id: null,
  awaits: null,
  ...given,
});

test('what waits for one customer or price stands together, since the oldest of it waits', () => {
  const older = '2026-11-20T10:00:00.000Z';
  const found = byAwaited([
    row('evt_3', { awaits: 'cus_1' }),
    row('evt_2', { awaits: 'price_1', reason: 'unknown_price' }),
    row('evt_1', { awaits: 'cus_1', received_at: older }),
  ]);
  expect(found.map(({ awaits, rows, since }) => [awaits, rows.length, since])).toEqual([
    ['cus_1', 2, older],
    ['price_1', 1, '2026-11-22T10:00:00.000Z'],
  ]);
});

test('what waits for a word about one object stands by that object', () => {
  const of = { reason: 'buyer_hint', object_id: 'sub_1' };
  const found = byAwaited([row('evt_2', of), row('evt_1', of), row('evt_0', { ...of, object_id: 'sub_2' })]);
  expect(found.map(({ awaits, objectId, rows }) => [awaits, objectId, rows.length])).toEqual([
    [null, 'sub_1', 2],
    [null, 'sub_2', 1],
  ]);
});

test('a mapping releases prices of any id; of an unknown project each object is given by itself', () => {
  const plan = { awaits: 'gold', reason: 'unknown_price' };
  const nowhere = { awaits: 'shopp', reason: 'unknown_project' };
  const found = byAwaited([
    row('evt_4', plan),
    row('evt_3', nowhere),
    row('evt_2', plan),
    row('evt_1', nowhere),
  ]);
  expect(found.map(({ key, awaits, rows }) => [key, awaits, rows.length])).toEqual([
    ['gold', 'gold', 2],
    ['sub_evt_3', 'shopp', 1],
    ['sub_evt_1', 'shopp', 1],
  ]);
});
