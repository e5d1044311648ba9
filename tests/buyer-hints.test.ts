import { waitFor } from '@billing/testing';
import { uniqueId } from '../apps/api/src/testing/start-commerce.test-support.ts';
import { startWholeSystem } from './journeys/whole-system.test-support.ts';
import type { WholeSystem } from './journeys/whole-system.test-support.ts';

/*
 * A stranger buys through a Payment Link with `client_reference_id` set to the id of a user, the victim. API, worker and
 * offline Stripe are joined by real webhooks.
 */

type Project = { projectId: string; apiKey: string; keyId: string };

let system: WholeSystem;
let project: Project;
let price: { priceId: string; stripePriceId: string };
let pass: typeof price;

beforeAll(async () => {
  system = await startWholeSystem();
  project = await system.createProject();
  price = await system.sell(project.projectId);
  pass = await system.sell(project.projectId, { interval: 'one_time', featureCodes: ['pass'] });
}, 60_000);
afterAll(() => system.close());

const idOf = (named: string | { id: string } | null): string | null =>
  typeof named === 'string' ? named : (named?.id ?? null);

/** A purchase that names the user by nothing but the reference; of a customer of its own, or (a payment) of none. */
async function buyAsStranger(
  victim: string,
  bought = price,
): Promise<{ sourceId: string; customer: string | null }> {
  const mode = bought === price ? 'subscription' : 'payment';
  const session = await system.stripe.checkout.sessions.create({
    mode,
    line_items: [{ price: bought.stripePriceId, quantity: 1 }],
    client_reference_id: victim,
    success_url: 'https://app.example.com/thanks',
  });
  await system.pay(session.id);
  const paid = await system.stripe.checkout.sessions.retrieve(session.id);
  const sourceId = idOf(mode === 'subscription' ? paid.subscription : paid.payment_intent) ?? '';
  const events = (): Promise<number> =>
    system.deps.database.stripeEvent.count({ where: { objectId: session.id } });
  await waitFor(async () => (await events()) > 0, { what: 'the session in the ledger' });
  return { sourceId, customer: idOf(paid.customer) };
}

const post = (path: string, body: object, apiKey = project.apiKey) =>
  system.http().post(`/api/v1/${path}`).set('authorization', `Bearer ${apiKey}`).send(body);

const openPortal = (userId: string) =>
  post('portal/create-session', { user_id: userId, return_url: 'https://app.example.com/' });

/** The page that the portal opens. */
const portalOf = async (userId: string): Promise<string> => {
  const { body } = await openPortal(userId).expect(200);
  return (await fetch(body.portal_url)).text();
};

const confirm = (userId: string, sourceId: string, apiKey = project.apiKey) =>
  post('customers/confirm', { user_id: userId, source_id: sourceId }, apiKey);

const explanationOf = async (userId: string, apiKey = project.apiKey) => {
  const query = { user_id: userId, explain: 'true' };
  const asked = system
    .http()
    .get('/api/v1/entitlements')
    .query(query)
    .set('authorization', `Bearer ${apiKey}`);
  return (await asked.expect(200)).body.explanation as {
    source_id: string;
    reason: string;
    owner_source: string;
  }[];
};

const setPolicy = (projectId: string, hints: 'grant' | 'quarantine' | null) =>
  system.admin('patch', `/projects/${projectId}`, { policy: { accept_buyer_hints: hints } }).expect(200);

const refusalOf = async (call: ReturnType<typeof confirm>): Promise<[number, string]> => {
  const { status, body } = await call;
  return [status, String(body.code)];
};

describe("a stranger's purchase with the victim's id", () => {
  let victim: string;
  let bought: Awaited<ReturnType<typeof buyAsStranger>>;
  beforeAll(async () => {
    victim = uniqueId('victim');
    bought = await buyAsStranger(victim);
    await system.awaitFeatures(project.apiKey, victim, ['premium']);
  });

  test('grants, and is explained as a hint', async () => {
    expect(await explanationOf(victim)).toMatchObject([
      { source_id: bought.sourceId, reason: 'in_force', owner_source: 'buyer_hint' },
    ]);
  });

  test("does not open the stranger's customer in the victim's portal", async () => {
    const { body } = await openPortal(victim).expect(404);
    expect(body.code).toBe('customer_not_found');
  });

  test("does not refuse the victim's own purchase, which is warned of", async () => {
    const order = system.order(price.priceId, { user_id: victim });
    const buy = () =>
      system.checkout(project.apiKey, order, { 'Idempotency-Key': 'victim-buys' }).expect(200);
    const { body } = await buy();
    expect(body).toMatchObject({ session_id: expect.any(String), warnings: ['possible_duplicate'] });
    expect((await buy()).body).toEqual(body);
    const session = await system.stripe.checkout.sessions.retrieve(body.session_id);
    expect(session.customer).not.toBe(bought.customer);
  });

  test("leaves the portal to the victim's own customer", async () => {
    const [own] = await system.customersOf(victim);
    expect(await portalOf(victim)).not.toContain(bought.sourceId);
    const [opened] =
      (await system.deps.database.customer.findMany({ where: { user: { userId: victim } } })) ?? [];
    expect(opened?.stripeCustomerId).toBe(own?.id);
    expect(own?.id).not.toBe(bought.customer);
  });

  test('is listed apart for operators', async () => {
    const { body } = await system.admin('get', `/users/${project.projectId}/${victim}`).expect(200);
    expect(body.buyer_hints).toMatchObject([
      { source: 'subscription', source_id: bought.sourceId, stripe_customer_id: bought.customer },
    ]);
    const customers = body.customers.map((one: { stripe_customer_id: string }) => one.stripe_customer_id);
    expect(customers).not.toContain(bought.customer);
    const found = await system.admin('get', `/users?query=${bought.customer}`).expect(200);
    expect(found.body.data).toMatchObject([
      { user_id: victim, matched: 'customer', matched_id: bought.sourceId, owner_source: 'buyer_hint' },
    ]);
  });
});

test('a checkout without a hint has no warning', async () => {
  const { body } = await system.checkout(project.apiKey, system.order(price.priceId)).expect(200);
  expect(body).not.toHaveProperty('warnings');
});

describe('confirmed by the project', () => {
  test("a hint is the user's like any other purchase: in the portal, and no second sale", async () => {
    const user = uniqueId('user');
    const { sourceId, customer } = await buyAsStranger(user);
    const { body } = await confirm(user, sourceId).expect(200);
    expect(body).toEqual({ user_id: user, source_id: sourceId, stripe_customer_id: customer });
    expect(await explanationOf(user)).toMatchObject([{ source_id: sourceId, owner_source: 'mapping' }]);
    expect(await portalOf(user)).toContain(sourceId);
    const order = system.order(price.priceId, { user_id: user });
    expect(await refusalOf(system.checkout(project.apiKey, order))).toEqual([409, 'already_subscribed']);
  });

  test("again it is the same answer, and once in the audit log, with the key's id", async () => {
    const user = uniqueId('user');
    const { sourceId, customer } = await buyAsStranger(user);
    const answers = await Promise.all([1, 2, 3].map(() => confirm(user, sourceId).expect(200)));
    const { body: again } = await confirm(user, sourceId).expect(200);
    for (const { body } of answers) expect(body).toEqual(again);
    const { body } = await system.admin('get', `/audit?target_id=${customer}`).expect(200);
    expect(body.data).toMatchObject([
      {
        actor: project.keyId,
        action: 'customer.confirm',
        project_id: project.projectId,
        details: { user_id: user, source_id: sourceId },
        request_id: expect.any(String),
      },
    ]);
  });

  test('what was bought without a customer is assigned', async () => {
    const user = uniqueId('user');
    const { sourceId, customer } = await buyAsStranger(user, pass);
    expect(customer).toBeNull();
    await system.awaitFeatures(project.apiKey, user, ['pass']);
    for (let time = 0; time < 2; time += 1) {
      const { body } = await confirm(user, sourceId).expect(200);
      expect(body).toEqual({ user_id: user, source_id: sourceId, stripe_customer_id: null });
    }
    expect(await explanationOf(user)).toMatchObject([{ source_id: sourceId, owner_source: 'assignment' }]);
    const { body } = await system.admin('get', `/audit?target_id=${sourceId}`).expect(200);
    expect(body.data).toMatchObject([{ action: 'customer.confirm', target_type: 'purchase' }]);
  });

  describe('is refused', () => {
    let user: string;
    let sourceId: string;
    let customer: string | null;
    beforeAll(async () => {
      user = uniqueId('user');
      ({ sourceId, customer } = await buyAsStranger(user));
    });

    test('for a source that is none, another user, another project', async () => {
      const other = await system.createProject();
      expect(await refusalOf(confirm(user, 'sub_unknown'))).toEqual([404, 'source_not_found']);
      expect(await refusalOf(confirm(uniqueId('user'), sourceId))).toEqual([404, 'source_not_found']);
      expect(await refusalOf(confirm(user, sourceId, other.apiKey))).toEqual([404, 'source_not_found']);
    });

    test("for the user's own purchase, which metadata names", async () => {
      const buyer = uniqueId('user');
      const order = system.order(price.priceId, { user_id: buyer });
      const { body } = await system.checkout(project.apiKey, order).expect(200);
      await system.pay(body.session_id);
      await system.awaitFeatures(project.apiKey, buyer, ['premium']);
      const [own] = await explanationOf(buyer);
      expect(await refusalOf(confirm(buyer, own?.source_id ?? ''))).toEqual([404, 'source_not_found']);
    });

    test('by a key that may only read', async () => {
      const reader = await system.createApiKey(project.projectId, { scopes: ['read'] });
      expect(await refusalOf(confirm(user, sourceId, reader.apiKey))).toEqual([403, 'insufficient_scope']);
    });

    test('where the customer is mapped to another user of the project, and changes nothing', async () => {
      const owner = uniqueId('owner');
      const mapping = { user_id: owner, stripe_customer_id: customer };
      await system.admin('post', `/projects/${project.projectId}/customers`, mapping).expect(201);
      expect(await refusalOf(confirm(user, sourceId))).toEqual([409, 'customer_exists']);
      expect(await system.features(project.apiKey, owner)).toEqual(['premium']);
      expect(await system.features(project.apiKey, user)).toEqual([]);
    });
  });
});

describe('a project that accepts no hints', () => {
  let strict: Project;
  let sold: typeof price;
  beforeAll(async () => {
    strict = await system.createProject();
    sold = await system.sell(strict.projectId);
  });
  const waiting = 'quarantined buyer_hint';
  beforeEach(() => setPolicy(strict.projectId, 'quarantine'));

  const buy = async (userId: string): Promise<string> => {
    const session = await system.stripe.checkout.sessions.create({
      mode: 'subscription',
      line_items: [{ price: sold.stripePriceId, quantity: 1 }],
      client_reference_id: userId,
      success_url: 'https://app.example.com/thanks',
    });
    await system.pay(session.id);
    const { subscription } = await system.stripe.checkout.sessions.retrieve(session.id);
    const sourceId = idOf(subscription) ?? '';
    const where = { objectId: sourceId };
    await waitFor(async () => (await explanationOf(userId, strict.apiKey)).length > 0, {
      what: 'the source',
    });
    await waitFor(async () => (await system.deps.database.stripeEvent.count({ where })) > 0, {
      what: 'its event',
    });
    return sourceId;
  };
  /** Of the customer's events: which of them wait depends on the order in which they came. */
  const statusesOf = async (sourceId: string): Promise<string[]> => {
    const { customer } = await system.stripe.subscriptions.retrieve(sourceId);
    const where = { customerId: idOf(customer) };
    const rows = await system.deps.database.stripeEvent.findMany({ where });
    return rows.map(({ status, reason }) => `${status} ${reason ?? ''}`.trim());
  };
  const waitsFor = async (objectId: string): Promise<{ reason: string; event_id: string | null }[]> => {
    const { body } = await system.admin('get', '/quarantine?limit=100').expect(200);
    return body.data.filter((one: { object_id: string }) => one.object_id === objectId);
  };

  test('keeps a new one in quarantine until it is confirmed, and then grants at once', async () => {
    const user = uniqueId('user');
    const sourceId = await buy(user);
    expect(await system.features(strict.apiKey, user)).toEqual([]);
    expect(await explanationOf(user, strict.apiKey)).toMatchObject([
      { source_id: sourceId, in_force: false, reason: 'buyer_hint' },
    ]);
    await waitFor(async () => (await waitsFor(sourceId)).length > 0, { what: 'the quarantine' });
    expect((await waitsFor(sourceId))[0]).toMatchObject({ reason: 'buyer_hint' });
    await confirm(user, sourceId, strict.apiKey).expect(200);
    expect(await system.features(strict.apiKey, user)).toEqual(['premium']);
    expect(await waitsFor(sourceId)).toEqual([]);
    await waitFor(async () => !(await statusesOf(sourceId)).includes(waiting), { what: 'the release' });
  });

  test("an operator's mapping grants at once, too", async () => {
    const user = uniqueId('user');
    const sourceId = await buy(user);
    expect(await system.features(strict.apiKey, user)).toEqual([]);
    const { customer } = await system.stripe.subscriptions.retrieve(sourceId);
    const mapping = { user_id: user, stripe_customer_id: idOf(customer) };
    await system.admin('post', `/projects/${strict.projectId}/customers`, mapping).expect(201);
    expect(await system.features(strict.apiKey, user)).toEqual(['premium']);
  });

  test("and so does an operator's assignment", async () => {
    const user = uniqueId('user');
    const sourceId = await buy(user);
    expect(await system.features(strict.apiKey, user)).toEqual([]);
    const body = { subscription_id: sourceId, project_id: strict.projectId, user_id: user, reason: 'known' };
    await system.admin('post', '/assign', body).expect(200);
    expect(await system.features(strict.apiKey, user)).toEqual(['premium']);
  });

  test('and so does metadata that names the same user', async () => {
    const user = uniqueId('user');
    const sourceId = await buy(user);
    expect(await system.features(strict.apiKey, user)).toEqual([]);
    await system.stripe.subscriptions.update(sourceId, { metadata: { user_id: user } });
    await system.awaitFeatures(strict.apiKey, user, ['premium']);
  });

  test('takes back and gives again what was there before, at the next read', async () => {
    await setPolicy(strict.projectId, 'grant');
    const user = uniqueId('user');
    const sourceId = await buy(user);
    expect(await system.features(strict.apiKey, user)).toEqual(['premium']);
    await setPolicy(strict.projectId, 'quarantine');
    expect(await system.features(strict.apiKey, user)).toEqual([]);
    // Its events were applied: it is listed by itself.
    expect(await waitsFor(sourceId)).toMatchObject([{ event_id: null, reason: 'buyer_hint' }]);
    const { body } = await setPolicy(strict.projectId, null);
    expect(body.policy.accept_buyer_hints).toBe('grant');
    expect(await system.features(strict.apiKey, user)).toEqual(['premium']);
    expect(await waitsFor(sourceId)).toEqual([]);
  });

  test('lets the events count that waited, once it accepts hints', async () => {
    const user = uniqueId('user');
    const sourceId = await buy(user);
    await waitFor(async () => (await statusesOf(sourceId)).includes(waiting), {
      what: 'quarantine',
    });
    await setPolicy(strict.projectId, 'grant');
    expect(await system.features(strict.apiKey, user)).toEqual(['premium']);
    await waitFor(async () => !(await statusesOf(sourceId)).includes(waiting), {
      what: 'the release',
    });
  });
});
