import { startCommerce, uniqueId } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;

beforeAll(async () => {
  commerce = await startCommerce();
});
afterAll(() => commerce.close());

type Row = { action: string; actor: string; target_type: string; target_id: string; reason: string | null };

test('every change is in the log with who, what, why and the request; what was refused is not', async () => {
  const id = uniqueId('audited');
  const admin: Commerce['admin'] = (...call) => commerce.admin(...call);
  await admin('post', '/projects', { project_id: id, name: 'Audited' })
    .set('x-request-id', 'req-audit-1')
    .expect(201);
  await admin('post', '/projects', { project_id: id, name: 'Audited' }).expect(409);
  await admin('patch', `/projects/${id}`, { policy: { paused: 'allow' } }).expect(200);
  const key = await admin('post', `/projects/${id}/api-keys`, {}).expect(201);
  await admin('delete', `/projects/${id}/api-keys/${key.body.key_id}`).expect(204);
  const price = await commerce.sell(id);
  await admin('patch', `/projects/${id}/products/${price.productId}`, { name: 'New' }).expect(200);
  await admin('patch', `/projects/${id}/prices/${price.priceId}`, { is_archived: true }).expect(200);
  await admin('post', `/projects/${id}/customers`, {
    user_id: 'u',
    stripe_customer_id: uniqueId('cus'),
  }).expect(201);
  const grant = await admin('post', '/grant', {
    user_id: 'u',
    project_id: id,
    feature_code: 'f',
    reason: 'a test',
  });
  await admin('post', '/revoke', { grant_id: grant.body.grant_id, reason: 'the end' }).expect(200);

  const { body, text } = await admin('get', `/audit?project_id=${id}`).expect(200);
  const rows: Row[] = body.data.toReversed();
  expect(rows.map(({ action }) => action)).toEqual([
    'project.create',
    'project.update',
    'api_key.create',
    'api_key.revoke',
    'product.create',
    'price.create',
    'product.update',
    'price.update',
    'customer.map',
    'grant.create',
    'grant.revoke',
  ]);
  expect(rows[0]).toMatchObject({
    actor: 'tester',
    target_type: 'project',
    target_id: id,
    request_id: 'req-audit-1',
  });
  expect(rows[1]).toMatchObject({
    details: { before: { policy: {} }, after: { policy: { paused: 'allow' } } },
  });
  expect(rows.at(-2)).toMatchObject({ reason: 'a test', target_id: grant.body.grant_id });
  expect(rows.at(-1)).toMatchObject({ reason: 'the end' });
  expect(text).not.toContain(key.body.api_key);

  const one = await admin('get', `/audit?project_id=${id}&limit=4`).expect(200);
  const two = await admin('get', `/audit?project_id=${id}&limit=100&cursor=${one.body.next_cursor}`).expect(
    200,
  );
  expect([...one.body.data, ...two.body.data]).toEqual(body.data);
  const filtered = await admin('get', `/audit?project_id=${id}&action=grant.create&actor=tester`).expect(200);
  expect(filtered.body.data).toHaveLength(1);
});

test('the details of a change to the catalog hold each of its fields, before and after', async () => {
  const id = uniqueId('audited');
  const admin: Commerce['admin'] = (...call) => commerce.admin(...call);
  const project = { name: 'Shop', description: 'Of shoes' };
  await admin('post', '/projects', { project_id: id, ...project }).expect(201);
  const changedProject = { description: 'Of hats', redirect_origins: ['https://hats.example'] };
  await admin('patch', `/projects/${id}`, changedProject).expect(200);
  const product = { name: 'Premium', description: 'All of it', feature_codes: ['export'] };
  await admin('post', `/projects/${id}/products`, { product_id: 'premium', ...product }).expect(201);
  await admin('patch', `/projects/${id}/products/premium`, { description: null }).expect(200);
  const price = {
    product_id: 'premium',
    stripe_price_id: uniqueId('price'),
    amount: 500,
    currency: 'usd',
    interval: 'one_time',
    access_days: 30,
  };
  await admin('post', `/projects/${id}/prices`, { price_id: 'once', ...price }).expect(201);
  await admin('patch', `/projects/${id}/prices/once`, { is_archived: true }).expect(200);

  const { body } = await admin('get', `/audit?project_id=${id}`).expect(200);
  const before = { ...project, is_active: true, policy: {}, redirect_origins: [] };
  const terms = { ...price, interval_count: 1, usage_type: null };
  expect(body.data.toReversed().map(({ details }: { details: unknown }) => details)).toEqual([
    project,
    { before, after: { ...before, ...changedProject } },
    product,
    {
      before: { ...product, is_archived: false },
      after: { ...product, description: null, is_archived: false },
    },
    terms,
    { before: { ...terms, is_archived: false }, after: { ...terms, is_archived: true } },
  ]);
});

type Line = {
  audit_id: string;
  action: string;
  target_id: string | null;
  previous_digest: string;
  digest: string;
};

async function exported(query: string) {
  const { text, headers } = await commerce.admin('get', `/audit/export?${query}`).buffer(true).expect(200);
  expect(headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
  const lines = text.split('\n').filter((line) => line !== '');
  return { rows: lines.map((line): Line => JSON.parse(line)), cursor: String(headers['x-next-cursor']) };
}

test('the export goes on where it ended, line by line a chain, and says what the list says', async () => {
  const old = await exported('');
  expect((await exported(`cursor=${old.cursor}`)).rows).toEqual([]);
  expect((await exported(`cursor=${old.cursor}`)).cursor).toBe(old.cursor);
  const projectId = uniqueId('exported');
  await commerce.admin('post', '/projects', { project_id: projectId, name: 'Exported' }).expect(201);
  for (const name of ['one', 'two'])
    await commerce.admin('patch', `/projects/${projectId}`, { name }).expect(200);

  const first = await exported(`cursor=${old.cursor}&limit=2`);
  expect(first.rows.map(({ action }) => action)).toEqual(['project.create', 'project.update']);
  const last = await exported(`cursor=${first.cursor}&limit=2`);
  expect(last.rows).toHaveLength(1);
  const rows = [...old.rows, ...first.rows, ...last.rows];
  rows.reduce((before, row) => {
    expect(row.previous_digest).toBe(before);
    return row.digest;
  }, '00'.repeat(32));
  const { body } = await commerce.admin('get', `/audit?project_id=${projectId}`).expect(200);
  expect([...first.rows, ...last.rows].toReversed()).toMatchObject(body.data);
});

test('what is erased is a row without target, reason and details, in list and export', async () => {
  const projectId = uniqueId('erased');
  await commerce.admin('post', '/projects', { project_id: projectId, name: 'Hidden' }).expect(201);
  await commerce.deps.database.$queryRaw`
    SELECT public.erase_audit_subject(subject) FROM public.audit_subjects WHERE target_id = ${projectId}`;
  const { body } = await commerce.admin('get', `/audit?project_id=${projectId}`).expect(200);
  const erased = { action: 'project.create', target_id: null, reason: null, details: {} };
  expect(body.data).toMatchObject([{ ...erased, erased_at: expect.any(String) }]);
  const { rows } = await exported('');
  expect(rows.at(-1)).toMatchObject(erased);
  const found = await commerce.admin('get', `/audit?target_id=${projectId}`).expect(200);
  expect(found.body.data).toEqual([]);
});

test('the chain is followed call by call to its end; the first bad row is named', async () => {
  const verify = (after?: string) =>
    commerce.admin('get', `/audit/verify${after === undefined ? '' : `?after=${after}`}`).expect(200);
  const first = await verify();
  expect(first.body).toMatchObject({ erased: expect.any(Number), has_more: true, problem: null });
  expect(first.body.rows).toBeGreaterThan(0);
  const end = await verify(first.body.head);
  const whole = { rows: 0, erased: 0, head: first.body.head, has_more: false, problem: null };
  expect(end.body).toEqual(whole);

  const wrong = await verify(`1:${'0'.repeat(64)}`);
  expect(wrong.body).toMatchObject({
    has_more: false,
    problem: {
      audit_id: '2',
      what: 'row_before_changed',
      words: 'Row 2: it does not follow the row before: that one was changed.',
    },
  });
  await commerce.admin('get', '/audit/verify?after=17').expect(400);
});
