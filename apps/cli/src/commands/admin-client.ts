import { readJsonFile } from '@billing/platform';
import { z } from 'zod';
import { CliError } from './cli-error.ts';

export type Service = { url: string; adminSecret: string };

const stackFile = z.object({ api_url: z.string(), admin_api_key: z.string() });

/**
 * Finds the service and its secret: in the environment, else the stack that `npm start` runs here. The two are
 * never mixed, so that a secret reaches no service it is not for. Throws a CliError that says what to set.
 */
export function findService(env: Record<string, string | undefined>, stackPath: string): Service {
  const url = env['BILLING_URL'];
  const adminSecret = env['BILLING_ADMIN_KEY'];
  if (url && adminSecret) return { url: checkedUrl(url), adminSecret };
  if (url || adminSecret)
    throw new CliError(
      'usage',
      'Set both BILLING_URL and BILLING_ADMIN_KEY, or neither (then .local/stack.json counts).',
    );
  const stack = readJsonFile(stackPath, stackFile);
  if (stack === undefined)
    throw new CliError(
      'usage',
      'Which service? Set BILLING_URL (such as https://billing.internal) and BILLING_ADMIN_KEY (the secret of one pair of ADMIN_API_KEY), or run `npm start` first.',
    );
  return { url: stack.api_url, adminSecret: stack.admin_api_key };
}

function checkedUrl(url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new CliError('usage', 'BILLING_URL must be an address such as https://billing.internal.');
  return url.replace(/\/+$/, '');
}

export type Call = {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`; ids in it are encoded by `path`. */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: object;
  /** In place of the administrator's secret. */
  apiKey?: string;
  /** What is there now, and on no replica: what follows from it would be wrong. */
  isFresh?: boolean;
};

/** Longer than the longest answer of the API: a replay waits 15 s for a worker. */
const timeoutMs = 20_000;

const problem = z.object({
  code: z.string(),
  detail: z.string(),
  request_id: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

/** A path with ids, whatever characters they have. */
export const path = (parts: TemplateStringsArray, ...ids: string[]): string =>
  parts.reduce((whole, part, index) => whole + encodeURIComponent(ids[index - 1] ?? '') + part);

export type AdminClient = <T>(schema: z.ZodType<T>, call: Call) => Promise<T>;

type Answered = { text: string; headers: Headers };
/** The answer as it came. */
export type TextClient = (call: Call) => Promise<Answered>;

/** Calls the admin API. Throws a CliError that says what to do. */
export function createTextClient({ url, adminSecret }: Service): TextClient {
  return async (call) => {
    const response = await send(url, call, call.apiKey ?? adminSecret);
    const text = await response.text().catch(() => '');
    if (response.ok) return { text, headers: response.headers };
    const isProjectKey = call.apiKey !== undefined;
    throw refusal({ status: response.status, answer: parseJson(text), url, isProjectKey });
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Calls the admin API and checks its answers. Throws a CliError that says what to do. */
export function createAdminClient(service: Service): AdminClient {
  const { url } = service;
  const ask = createTextClient(service);
  return async (schema, call) => {
    const { text } = await ask(call);
    const parsed = schema.safeParse(parseJson(text));
    if (!parsed.success)
      throw new CliError(
        'unavailable',
        `${url} answers, but not as the billing service does. Check BILLING_URL.`,
      );
    return parsed.data;
  };
}

async function send(url: string, call: Call, secret: string) {
  const { method = 'GET', path: where, query = {}, body, isFresh = false } = call;
  const target = new URL(`${url}/api/v1${where}`);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) target.searchParams.set(name, String(value));
  try {
    return await fetch(target, {
      method,
      headers: {
        authorization: `Bearer ${secret}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(isFresh ? { 'cache-control': 'no-cache' } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    });
  } catch {
    throw new CliError(
      'unavailable',
      `${url} does not answer. Check BILLING_URL, and that the API runs there.`,
    );
  }
}

const wrongProjectKey =
  'The project key is not valid: it is unknown, revoked or expired. Give another one (--api-key, BILLING_API_KEY), or none: then one is made for this question.';
const wrongAdminSecret =
  'The admin secret is not valid. BILLING_ADMIN_KEY is the secret alone, without the name before the colon in ADMIN_API_KEY.';

type Refused = { status: number; answer: unknown; url: string; isProjectKey: boolean };

function refusal({ status, answer, url, isProjectKey }: Refused): CliError {
  const { data } = problem.safeParse(answer);
  if (data === undefined)
    return new CliError(
      'unavailable',
      `${url} answered ${status}, but not as the billing service does. Check BILLING_URL.`,
    );
  if (data.code === 'missing_api_key' || data.code === 'invalid_api_key')
    return new CliError('usage', isProjectKey ? wrongProjectKey : wrongAdminSecret);
  const fields = (data.errors ?? []).map(({ path: field, message }) => `  ${field}: ${message}`);
  const request = data.request_id === undefined ? '' : ` [${data.code}, request ${data.request_id}]`;
  const text = [`${data.detail}${request}`, ...fields].join('\n');
  return new CliError(status >= 500 || status === 429 ? 'unavailable' : 'refused', text);
}
