import { startCommerce } from '../../testing/start-commerce.test-support.ts';
import type { Commerce } from '../../testing/start-commerce.test-support.ts';

let commerce: Commerce;
let projectId: string;
beforeAll(async () => {
  commerce = await startCommerce();
});
beforeEach(async () => {
  ({ projectId } = await commerce.createProject());
});
afterAll(() => commerce.close());

const patch = (fields: object) => commerce.admin('patch', `/projects/${projectId}`, fields);
const defaults = async (sent: object | null) =>
  (await patch({ checkout_defaults: sent }).expect(200)).body.checkout_defaults;

test('a project has no defaults of checkout and no portal of its own', async () => {
  const { body } = await commerce.admin('get', `/projects/${projectId}`).expect(200);
  expect(body).toMatchObject({ checkout_defaults: {}, portal_configuration: null });
});

test('defaults are merged; null takes one away, or all', async () => {
  const all = {
    promotion_code: 'SPRING',
    automatic_tax: true,
    tax_id_collection: true,
    invoice_creation: false,
    billing_address_collection: 'required',
    payment_method_collection: 'if_required',
    trial_days: 14,
    trial_without_card: 'pause',
    locale: 'pt-BR',
    adjustable_quantity: { min: 1, max: 10 },
    ui_mode: 'embedded',
    expires_in_seconds: 1_800,
  };
  expect(await defaults(all)).toEqual(all);
  expect(await defaults({})).toEqual(all);
  const { promotion_code: _code, ...others } = all;
  expect(await defaults({ promotion_code: null, allow_promotion_codes: true })).toEqual({
    ...others,
    allow_promotion_codes: true,
  });
  expect(await defaults(null)).toEqual({});
});

test('the portal’s configuration is stored, and taken away by null', async () => {
  const set = async (portal_configuration: string | null) =>
    (await patch({ portal_configuration }).expect(200)).body.portal_configuration;
  expect(await set('bpc_1')).toBe('bpc_1');
  expect((await patch({ name: 'Other' }).expect(200)).body.portal_configuration).toBe('bpc_1');
  expect(await set(null)).toBeNull();
});

test.each<[object, string]>([
  [{ success_url: 'https://app.example.com' }, '.success_url'],
  [{ trial_days: 0 }, '.trial_days'],
  [{ trial_days: 731 }, '.trial_days'],
  [{ locale: 'German' }, '.locale'],
  [{ ui_mode: 'popup' }, '.ui_mode'],
  [{ expires_in_seconds: 1_799 }, '.expires_in_seconds'],
  [{ expires_in_seconds: 86_401 }, '.expires_in_seconds'],
  [{ adjustable_quantity: { min: 5, max: 4 } }, '.adjustable_quantity.max'],
  [{ promotion_code: 'A', allow_promotion_codes: true }, '.promotion_code'],
])('%j is refused', async (sent, path) => {
  const { body } = await patch({ checkout_defaults: sent }).expect(400);
  expect(body).toMatchObject({ code: 'invalid_request', errors: [{ path: `checkout_defaults${path}` }] });
  expect((await commerce.admin('get', `/projects/${projectId}`)).body.checkout_defaults).toEqual({});
});
