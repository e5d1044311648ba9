import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { isBillingError } from './billing-error.ts';
import { verifyWebhook } from './verify-webhook.ts';
import type { WebhookHeaders } from './verify-webhook.ts';

type Vector = { name: string; secret: string; payload: string; headers: Record<string, string> };
/** Their secrets are written without `whsec_`. */
const { vectors } = JSON.parse(
  readFileSync(new URL('../tests/webhook-vectors.json', import.meta.url), 'utf8'),
) as { vectors: Vector[] };

const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;
const secret = newSecret();
const body = JSON.stringify({
  type: 'catalog.changed',
  timestamp: '2026-11-22T10:00:00.000Z',
  data: { project_id: 'shop', version: 12 },
});

type Sent = { key?: string; payload?: string; ageSeconds?: number };

/** As the package of npm signs it. */
function sign({ key = secret, payload = body, ageSeconds = 0 }: Sent = {}): Record<string, string> {
  const at = Math.floor(Date.now() / 1_000) - ageSeconds;
  return {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(at),
    'webhook-signature': new Webhook(key).sign('msg_1', new Date(at * 1_000), payload),
  };
}

function codeOf(verify: () => unknown): string {
  try {
    verify();
    return 'verified';
  } catch (error) {
    if (!isBillingError(error) || error.status !== null || error.retryable) throw error;
    return error.code;
  }
}

const theirs = (headers: Record<string, string>, key: string): string => {
  try {
    new Webhook(key).verify(body, headers);
    return 'verified';
  } catch {
    return 'invalid_signature';
  }
};

describe("what PyPI's package signed", () => {
  const { now } = Date;
  afterEach(() => {
    Date.now = now;
  });

  test('there are messages with other characters, white space and secrets', () =>
    expect(vectors.length).toBeGreaterThanOrEqual(9));

  test.each(vectors)('$name', (vector) => {
    Date.now = () => Number(vector.headers['webhook-timestamp']) * 1_000;
    const expected: unknown = JSON.parse(vector.payload);
    const key = `whsec_${vector.secret}`;
    expect(verifyWebhook(vector.payload, vector.headers, key)).toEqual(expected);
    expect(verifyWebhook(Buffer.from(vector.payload), vector.headers, key)).toEqual(expected);
    expect(codeOf(() => verifyWebhook(`${vector.payload} `, vector.headers, key))).toBe('invalid_signature');
  });
});

describe("what npm's package signs", () => {
  test('is verified, and typed', () => {
    const message = verifyWebhook(body, sign(), secret);
    expect(message).toEqual(JSON.parse(body));
    if (message.type !== 'catalog.changed') throw new Error('another type');
    expect(message.data.version).toBe(12);
  });

  const upper = (headers: Record<string, string>) =>
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));
  const headersOf: [string, (headers: Record<string, string>) => WebhookHeaders][] = [
    ['of Node', (headers) => ({ ...headers, 'set-cookie': ['a', 'b'], accept: undefined })],
    ['in capitals', upper],
    [
      'that list their values',
      (headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    ],
    ['of fetch', (headers) => new Headers(headers)],
  ];
  test.each(headersOf)('headers %s', (_of, toHeaders) => {
    expect(verifyWebhook(body, toHeaders(sign()), secret)).toEqual(JSON.parse(body));
  });

  test.each([
    [0, 'verified'],
    [295, 'verified'],
    [-295, 'verified'],
    [302, 'invalid_signature'],
    [-302, 'invalid_signature'],
    [86_400, 'invalid_signature'],
  ])('%d seconds old: %s, as the package itself says', (ageSeconds, outcome) => {
    const headers = sign({ ageSeconds });
    expect(codeOf(() => verifyWebhook(body, headers, secret))).toBe(outcome);
    expect(theirs(headers, secret)).toBe(outcome);
  });

  test('while a secret is replaced: either of two secrets, either of two signatures', () => {
    const [old, next] = [newSecret(), newSecret()];
    const both = {
      ...sign({ key: old }),
      'webhook-signature': ['v1a,AAAA', sign({ key: next }), sign({ key: old })]
        .map((one) => (typeof one === 'string' ? one : String(one['webhook-signature'])))
        .join(' '),
    };
    for (const key of [old, next]) {
      expect(verifyWebhook(body, both, key)).toEqual(JSON.parse(body));
      expect(theirs(both, key)).toBe('verified');
      expect(verifyWebhook(body, sign({ key }), [next, old])).toEqual(JSON.parse(body));
    }
    expect(codeOf(() => verifyWebhook(body, both, newSecret()))).toBe('invalid_signature');
    expect(codeOf(() => verifyWebhook(body, sign({ key: old }), [next]))).toBe('invalid_signature');
  });
});

describe('is refused', () => {
  test.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('without %s', (name) => {
    for (const value of [undefined, '', ['a', 'b']])
      expect(codeOf(() => verifyWebhook(body, { ...sign(), [name]: value }, secret))).toBe(
        'invalid_signature',
      );
  });

  test.each([
    ['another id', { 'webhook-id': 'msg_2' }],
    ['another time', { 'webhook-timestamp': String(Math.floor(Date.now() / 1_000) - 7) }],
    ['a time that is none', { 'webhook-timestamp': 'now' }],
    ['a time with a fraction', { 'webhook-timestamp': `${Math.floor(Date.now() / 1_000)}.0` }],
    ['a signature of no kind', { 'webhook-signature': 'abc' }],
    [
      'a signature of another kind',
      { 'webhook-signature': sign()['webhook-signature']?.replace('v1,', 'v1a,') },
    ],
    ['half a signature', { 'webhook-signature': sign()['webhook-signature']?.slice(0, 23) }],
    ['no base64', { 'webhook-signature': 'v1,ä' }],
  ])('%s', (_what, header) => {
    const headers = { ...sign(), ...header };
    expect(codeOf(() => verifyWebhook(body, headers, secret))).toBe('invalid_signature');
  });

  test.each(['', 'null', '[]', '{}', 'no JSON', '{"type":"x","timestamp":"t","data":null}', '"text"'])(
    'a signed body that is no message: %p',
    (payload) => {
      expect(codeOf(() => verifyWebhook(payload, sign({ payload }), secret))).toBe('invalid_payload');
    },
  );

  test('a type that is not known yet is a message all the same', () => {
    const payload = '{"type":"new.thing","timestamp":"2026-11-22T10:00:00.000Z","data":{}}';
    expect(verifyWebhook(payload, sign({ payload }), secret)).toEqual(JSON.parse(payload));
  });
});

describe('is a mistake', () => {
  test.each([
    [''],
    ['whsec_'],
    ['whsec_ä'],
    ['whsec_A'],
    [undefined],
    [null],
    [7],
    [[]],
    [['whsec_', secret]],
  ])('the secret %p', (wrong) => {
    expect(() => verifyWebhook(body, sign(), wrong as string)).toThrow(TypeError);
  });

  test.each([[undefined], [null], [JSON.parse(body)]])('the body %p', (wrong) => {
    expect(() => verifyWebhook(wrong as string, sign(), secret)).toThrow(/raw body/);
  });

  test('where there is no crypto', () => {
    const load: unknown = Reflect.get(process, 'getBuiltinModule');
    try {
      Reflect.set(process, 'getBuiltinModule', undefined);
      expect(() => verifyWebhook(body, sign(), secret)).toThrow(/standardwebhooks/);
    } finally {
      Reflect.set(process, 'getBuiltinModule', load);
    }
  });
});
