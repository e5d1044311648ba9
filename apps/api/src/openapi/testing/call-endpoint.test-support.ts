import { Stripe } from 'stripe';
import { createSchemaCheck } from '../../testing/schema-check.test-support.ts';
import type { Complaints } from '../../testing/schema-check.test-support.ts';
import { testAdmin, testWebhookSecret } from '../../testing/start-test-api.test-support.ts';
import { endpoints } from '../../app.ts';
import { createOpenApiDocument } from '../create-document.ts';
import { accessKindOf, pathParameterNames } from '../../http/define-endpoint.ts';
import type { Endpoint } from '../../http/define-endpoint.ts';
import { metricsToken } from './start-seeded-api.test-support.ts';

type Values = Record<string, unknown>;
export type Call = {
  path?: Values;
  query?: Values;
  headers?: Values;
  body?: unknown;
  /** Default: those that the endpoint asks for. */
  credentials?: 'right' | 'wrong' | 'none';
  /** In place of those, whatever the endpoint asks for; null: none. */
  authorization?: string | null;
};
export type Sent = {
  status: number;
  body: unknown;
  headers: Record<string, string>;
  /** The request and its answer, for people. */
  shown: string;
};
/** `complaints`: what does not fit the description. */
export type Called = Sent & { complaints: Complaints };

/** The description in which an answer must not have other fields than described. */
export const closedDocument = createOpenApiDocument(endpoints, { isClosed: true });
export const check = createSchemaCheck(closedDocument);

const { webhooks } = new Stripe('sk_test_signing');
const basic = (name: string, secret: string): string =>
  `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;

/** A session of the console for each call: some calls end it. */
async function signIn(url: string): Promise<string> {
  const response = await fetch(`${url}/console/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(testAdmin),
  });
  return response.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
}

async function credentialsOf(
  endpoint: Endpoint,
  { api, apiKey }: Caller,
  call: Call,
): Promise<Record<string, string>> {
  const { credentials = 'right' } = call;
  const access = accessKindOf(endpoint);
  if (credentials === 'none' || access === 'open' || access === 'sign-in') return {};
  const isRight = credentials === 'right';
  if (access === 'console') {
    const cookie = isRight ? await signIn(api.url) : 'billing_console=wrong';
    return { cookie, 'x-console': '1', origin: api.url };
  }
  if (access === 'stripe') {
    const secret = isRight ? testWebhookSecret : 'whsec_of_another';
    const payload = JSON.stringify(call.body);
    return { 'stripe-signature': webhooks.generateTestHeaderString({ payload, secret }) };
  }
  if (access === 'queue-screen')
    return { authorization: basic(testAdmin.name, isRight ? testAdmin.secret : apiKey) };
  const tokens = {
    project: [apiKey, testAdmin.secret],
    admin: [testAdmin.secret, apiKey],
    metrics: [metricsToken, apiKey],
  };
  const [right, wrong] = tokens[access];
  return { authorization: `Bearer ${isRight ? right : wrong}` };
}

/** Stripe's signature stays with the event, and a session with its page, whoever else is named. */
async function authorizationOf(
  endpoint: Endpoint,
  caller: Caller,
  call: Call,
): Promise<Record<string, string>> {
  const own = await credentialsOf(endpoint, caller, call);
  if (call.authorization === undefined) return own;
  const { authorization: _own, ...others } = own;
  return call.authorization === null ? others : { ...others, authorization: call.authorization };
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
/** Lone surrogates have no percent encoding. */
const encode = (value: unknown): string => encodeURIComponent(asText(value).replaceAll(/\p{Cs}/gu, '\ufffd'));
/** Clients send no other characters in a header. */
const asHeader = (value: unknown): string => asText(value).replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?');

function urlOf(endpoint: Endpoint, { path = {}, query = {} }: Call): string {
  const filled = pathParameterNames(endpoint.path).reduce(
    // An empty one would be another route; a dot segment is resolved by the client.
    (url, name) => url.replace(`{${name}}`, () => encode(path[name] ?? 'x').replace(/^\.{0,2}$/, 'x')),
    endpoint.path,
  );
  const search = Object.entries(query).map(([name, value]) => `${name}=${encode(value)}`);
  return search.length === 0 ? filled : `${filled}?${search.join('&')}`;
}

type Caller = { api: { url: string }; apiKey: string };

/** Sends a request with the credentials of this endpoint. */
export async function sendCall(caller: Caller, endpoint: Endpoint, call: Call): Promise<Sent> {
  const { body, headers = {} } = call;
  const method = endpoint.method.toUpperCase();
  const url = urlOf(endpoint, call);
  const response = await fetch(caller.api.url + url, {
    method,
    headers: {
      ...(await authorizationOf(endpoint, caller, call)),
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, asHeader(value)])),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: isJson ? (JSON.parse(text) as unknown) : text,
    shown: `${method} ${url} ${JSON.stringify({ headers, body })} → ${response.status} ${text.slice(0, 500)}`,
  };
}

/** The same, and compares the answer with its description: status, headers, content type, body. */
export async function callEndpoint(caller: Caller, endpoint: Endpoint, call: Call): Promise<Called> {
  const sent = await sendCall(caller, endpoint, call);
  return { ...sent, complaints: check.answer(endpoint.operationId, sent) };
}
