import { noItemPrice, unknownPurchase, unknownSubscription } from '@billing/domain';
import type { Owner } from '@billing/domain';
import { createTestDatabase } from '@billing/testing';
import type { TestDatabase } from '@billing/testing';
import { Client } from 'pg';
import { createDatabase } from '../create-database.ts';
import type { Database } from '../create-database.ts';
import { readSources } from '../read-sources.ts';
import type { StateKeys } from './event-state.ts';
import type { LedgerOutcome, Outcome } from './outcomes.ts';
import { readEventState } from './read-state.ts';
import { writeOutcomes } from './write-outcomes.ts';

/** A connection plans a statement anew five times before it may keep one plan for all values. */
const times = 8;
const grown = 4_000;
const at = Date.UTC(2026, 10, 22);

const event = (id: string): LedgerOutcome => ({
  eventId: `evt_${id}`,
  type: 'customer.subscription.updated',
  objectId: `sub_${id}`,
  customerId: 'cus_1',
  projectId: 'p',
  apiVersion: null,
  status: 'applied',
  reason: null,
  awaits: null,
  created: at,
  receivedAt: at,
  processedAt: at,
  traceId: null,
  payload: {},
});

const item = { itemId: 'si_1', stripePriceId: 'price_1', quantity: 1, ...noItemPrice };
const items = [{ ...item, currentPeriodStart: null, currentPeriodEnd: null, firstPeriodStart: null }];
const sold = [{ stripePriceId: 'price_1', quantity: 1 }];
const change = { hasNewItems: true, keepsItems: true, bumps: [1] };

function outcomesOf(id: string, owner: Owner): Outcome[] {
  const subscription = { ...unknownSubscription(`sub_${id}`), items };
  const purchase = { ...unknownPurchase(`pi_${id}`), status: 'paid' as const, paidAt: at, items: sold };
  return [
    { kind: 'subscription', row: subscription, owner, events: [event(`s${id}`)], ...change },
    { kind: 'purchase', row: purchase, owner, events: [event(`p${id}`)], ...change },
  ];
}

const keysOf = (ids: readonly string[]): StateKeys => ({
  eventIds: ids.map((id) => `evt_s${id}`),
  subscriptionIds: ids.map((id) => `sub_${id}`),
  purchaseIds: [],
  customerIds: ids.map((id) => `cus_${id}`),
  priceIds: ['price_1'],
  userIds: ids.map((id) => `u_${id}`),
  projectIds: ['p'],
});
const paymentKeysOf = (ids: readonly string[]): StateKeys => ({
  ...keysOf(ids),
  subscriptionIds: [],
  purchaseIds: ids.map((id) => `pi_${id}`),
  relatedIds: ids.map((id) => `in_${id}`),
});

/** Every hot statement of events and checks, for one and for many. */
async function runAll(database: Database): Promise<void> {
  const owner = { ref: 1, projectId: 'p', userId: 'u_0', version: 0 };
  for (let round = 0; round < times; round += 1) {
    const ids = ['a', 'b', 'c'].map((letter) => `${letter}${round}`);
    const [one = ''] = ids;
    for (const userIds of [['u_0'], ['u_0', 'u_1', 'u_2']]) await readSources(database, 'p', userIds);
    for (const keys of [keysOf([one]), keysOf(ids), paymentKeysOf([one]), paymentKeysOf(ids)])
      await readEventState(database, keys);
    const [subscription, purchase] = outcomesOf(one, owner);
    if (subscription !== undefined) await writeOutcomes(database, [subscription], { erasureMark: 0 });
    if (purchase !== undefined) await writeOutcomes(database, [purchase], { erasureMark: 0 });
    await writeOutcomes(database, outcomesOf(`more_${one}`, owner), { erasureMark: 0 });
  }
}

/** A user of its own for each row. */
const ref = '(SELECT max(id) FROM public.users) - n + 1';

const grow = `
  INSERT INTO public.users (project_id, user_id) SELECT 'p', 'g_' || n FROM generate_series(1, ${grown}) n;
  INSERT INTO public.customers (stripe_customer_id, user_ref, source)
  SELECT 'cus_g' || n, ${ref}, 'import' FROM generate_series(1, ${grown}) n;
  INSERT INTO public.customer_users (stripe_customer_id, project_id, user_ref, source)
  SELECT 'cus_g' || n, 'p', ${ref}, 'import' FROM generate_series(1, ${grown}) n;
  INSERT INTO public.object_owners (object_id, project_id, user_ref, source)
  SELECT 'sub_g' || n, 'p', ${ref}, 'mapping' FROM generate_series(1, ${grown}) n;
  INSERT INTO public.subscriptions (id, user_ref) SELECT 'sub_g' || n, ${ref} FROM generate_series(1, ${grown}) n;
  INSERT INTO public.subscription_items (subscription_id, item_id, stripe_price_id, quantity)
  SELECT 'sub_g' || n, 'si', 'price_1', 1 FROM generate_series(1, ${grown}) n;
  INSERT INTO public.purchases (id, user_ref, status, record)
  SELECT 'pi_g' || n, ${ref}, 'pending', '{}' FROM generate_series(1, ${grown}) n;
  INSERT INTO public.purchase_items (purchase_id, stripe_price_id, quantity)
  SELECT 'pi_g' || n, 'price_1', 1 FROM generate_series(1, ${grown}) n;
  INSERT INTO public.erased_users (digest, key_id, project_id, version, erased_at)
  SELECT sha256(n::text::bytea), 'k', 'p', 1, now() FROM generate_series(1, ${grown}) n;
  INSERT INTO public.erased_objects (object_id, project_id, erased_at)
  SELECT 'sub_e' || n, 'p', now() FROM generate_series(1, ${grown}) n;
  INSERT INTO public.stripe_events (event_id, type, status, created, received_at, processed_at)
  SELECT 'evt_g' || n, 'x', 'applied', now(), now(), now() FROM generate_series(1, ${grown}) n`;

type PlanNode = { 'Node Type': string; 'Relation Name'?: string; Plans?: PlanNode[] };

const scannedIn = (node: PlanNode): string[] => [
  ...(node['Node Type'] === 'Seq Scan' ? [node['Relation Name'] ?? ''] : []),
  ...(node.Plans ?? []).flatMap(scannedIn),
];

/** The grown tables that the plans which the connection keeps would read whole. */
async function scannedTables(database: Database): Promise<string[]> {
  const prepared = await database.$queryRaw<
    { name: string; parameters: number; generic: bigint; text: string }[]
  >`
    SELECT name, cardinality(parameter_types) AS parameters, generic_plans AS generic, statement AS text
    FROM pg_prepared_statements WHERE statement LIKE '%MATERIALIZED%' OR statement LIKE '%public.subscription_items%'`;
  expect(prepared.length).toBeGreaterThanOrEqual(5);
  const found: string[] = [];
  for (const { name, parameters, generic, text } of prepared) {
    expect({ text, isKept: generic > 0n }).toEqual({ text, isKept: true });
    const values = Array.from({ length: parameters }, () => 'NULL').join(', ');
    const [row] = await database.$queryRawUnsafe<{ 'QUERY PLAN': { Plan: PlanNode }[] }[]>(
      `EXPLAIN (FORMAT JSON) EXECUTE "${name}"${parameters === 0 ? '' : `(${values})`}`,
    );
    for (const { Plan } of row?.['QUERY PLAN'] ?? [])
      found.push(...scannedIn(Plan).filter((table) => grow.includes(`public.${table} `)));
  }
  return found;
}

describe('statements that were planned while the tables were small', () => {
  let place: TestDatabase;
  let owner: Client;
  let database: Database;

  beforeEach(async () => {
    place = await createTestDatabase();
    owner = new Client({ connectionString: place.ownerUrl });
    await owner.connect();
    database = createDatabase({
      url: place.url,
      poolSize: 1,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 10_000,
    });
    await owner.query(`INSERT INTO public.projects (id, name) VALUES ('p', 'p')`);
    await owner.query(`INSERT INTO public.users (project_id, user_id) VALUES ('p', 'u_0')`);
  });
  afterEach(async () => {
    await database.$disconnect();
    await owner.end();
    await place.drop();
  });

  // Until Postgres counts the rows of a table for the first time it takes it for one of ten pages at least.
  it.each([
    { counted: 'never', before: '', after: '' },
    { counted: 'when they have grown', before: '', after: 'ANALYZE' },
    { counted: 'before and when they have grown', before: 'ANALYZE', after: 'ANALYZE' },
  ])('do not scan them when they are large (rows are counted: $counted)', async ({ before, after }) => {
    if (before !== '') await owner.query(before);
    await runAll(database);
    await owner.query(grow);
    if (after !== '') await owner.query(after);
    await runAll(database);
    expect(await scannedTables(database)).toEqual([]);
  });
});
