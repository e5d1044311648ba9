import { hourMs } from '@billing/domain';
import { startCommerce } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let api: Commerce;
beforeAll(async () => {
  api = await startCommerce();
});
afterAll(() => api.close());

const hour = new Date(Math.floor(Date.now() / hourMs - 5) * hourMs);
const at = (hours: number): Date => new Date(hour.getTime() + hours * hourMs);
const account = { projectId: 'shop', userId: 'ann', featureCode: 'calls' };

const told = (sequence: number, state: string) => ({
  ...account,
  hour,
  sequence,
  quantity: BigInt(10 - sequence),
  stampedAt: hour,
  stripeCustomerId: 'cus_1',
  eventName: 'calls',
  report: 'all',
  state,
  createdAt: hour,
  inDoubtSince: hour,
  lookAt: hour,
  problem: state === 'sending' ? 'No meter found.' : null,
});

async function list(query = ''): Promise<{ state: string; sequence: number | null; project_id: string }[]> {
  const { body } = await api.admin('get', `/usage/meter-reports?limit=100${query}`).expect(200);
  return body.data;
}
const states = async (query = ''): Promise<string[]> =>
  (await list(query)).map(({ state }) => state).toSorted((a, b) => a.localeCompare(b));

test('usage that Stripe was not told of is listed, the newest hour first, and what it has where asked', async () => {
  const { database } = api.deps;
  await database.usageMeterReport.createMany({
    data: [told(0, 'delivered'), told(1, 'sending'), told(2, 'too_late')],
  });
  await database.usageMeterHour.createMany({
    data: [
      { ...account, hour: at(1), waitsSince: hour },
      { ...account, hour: at(2), dueAt: hour },
      { ...account, hour: at(3), dueAt: at(48) },
      { ...account, hour: at(4) },
      { ...account, projectId: 'other', hour: at(1), waitsSince: hour },
    ],
  });
  expect(await states('&project_id=shop')).toEqual(['due', 'sending', 'too_late', 'waiting']);
  expect((await list('&project_id=shop'))[0]).toMatchObject({
    state: 'due',
    hour: at(2).toISOString(),
    quantity: null,
  });
  expect(await list('&project_id=shop&state=sending')).toMatchObject([
    { sequence: 1, quantity: 9, stripe_customer_id: 'cus_1', problem: 'No meter found.' },
  ]);
  expect(await states('&state=delivered')).toEqual(['delivered']);
  expect(await states('&state=waiting')).toEqual(['waiting', 'waiting']);

  const seen: unknown[] = [];
  let cursor = '';
  for (let page = 0; page < 10; page += 1) {
    const { body } = await api.admin('get', `/usage/meter-reports?limit=2${cursor}`).expect(200);
    seen.push(...body.data);
    if (body.next_cursor === null) break;
    cursor = `&cursor=${body.next_cursor}`;
  }
  expect(seen).toEqual(await list());
});
