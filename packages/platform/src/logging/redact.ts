import { hostUrls } from '../env/host-urls.ts';

const secretField =
  /^(authorization|cookie|set-cookie|password|passwd|token|secret|signature|stripe-signature|e-?mail|api_?key|.*(_|-)(secret|token|password|email)|.*(Secret|Token|Password|Email|ApiKey)|.*_api_key|raw_?body)$/i;

const mask = '[redacted]';
const maxDepth = 6;
const maxTextLength = 2_000;
/** Shorter secrets are ordinary words ("dev"); masking those would garble every line. */
const minSecretLength = 6;

const secretsInText: readonly [RegExp, string][] = [
  [/(\/\/)[^/\s:@]*:[^/\s@]*@/g, `$1${mask}@`],
  [/\b((?:sk|rk|whsec)_(?:test_|live_)?)[A-Za-z0-9_]+/g, `$1${mask}`],
  [/\b(proj_[0-9A-Za-z]{6})[0-9A-Za-z]{14,}/g, `$1${mask}`],
  [/\b(Bearer|Basic)\s+\S+/gi, `$1 ${mask}`],
  // Stripe's signature header: `t=…,v1=…`, or a part of it.
  [/\bt=\d{5,}(?:,v\d+=[0-9a-f]*)+/g, mask],
  [/\bv\d+=[0-9a-f]{32,}/g, mask],
  [/[\w.+-]+@[\w-]+\.[\w.-]+/g, mask],
  // Postgres names the columns of a key and quotes what is in them: ids of users.
  [/\bKey \(([^)]*)\)=\(.*?\)(?=\s|$)/g, `Key ($1)=(${mask})`],
];

export type RedactOptions = {
  readonly includeStack: boolean;
  /** From `knownSecrets`. */
  readonly secrets?: RegExp | undefined;
};

/**
 * Masks the process's own secrets, URL passwords, keys, tokens, signatures and e-mail addresses inside a text, and
 * cuts it to 2,000 characters.
 */
export function redactText(text: string, secrets?: RegExp): string {
  // Longer than what is kept, so that no secret is cut in two before it is recognized.
  let redacted = text.slice(0, 2 * maxTextLength);
  if (secrets !== undefined) redacted = redacted.replace(secrets, mask);
  for (const [pattern, replacement] of secretsInText) redacted = redacted.replace(pattern, replacement);
  return redacted.length > maxTextLength ? `${redacted.slice(0, maxTextLength)}…` : redacted;
}

/** An error as loggable fields: name, code and message, the stack only where `includeStack`, causes two deep. */
function describeError(error: Error, options: RedactOptions, depth: number): Record<string, unknown> {
  const described: Record<string, unknown> = { name: error.name };
  if ('code' in error && (typeof error.code === 'string' || typeof error.code === 'number')) {
    described['code'] = error.code;
  }
  described['message'] = redactText(messageOf(error), options.secrets);
  if (options.includeStack && error.stack !== undefined && !isFromPrisma(error) && !quotesRequest(error))
    described['stack'] = redactText(error.stack, options.secrets);
  if (error.cause instanceof Error && depth < 2)
    described['cause'] = describeError(error.cause, options, depth + 1);
  return described;
}

/** Prisma's messages quote the arguments of the call, which are customer data; only the last line is safe. */
const isFromPrisma = ({ name }: Error): boolean => name.startsWith('PrismaClient');

/** Stripe's words about a request quote what was sent, ids of users among it; type, code and parameter do not. */
const quotesRequest = (error: Error): boolean =>
  'type' in error &&
  typeof error.type === 'string' &&
  /^Stripe(?:InvalidRequest|Card|Idempotency|InvalidGrant|Unknown)Error$/.test(error.type);

function messageOf(error: Error): string {
  if (isFromPrisma(error)) return error.message.trimEnd().split('\n').at(-1) ?? '';
  if (!quotesRequest(error)) return error.message;
  const told = ['type', 'code', 'param'].map((name): unknown => Reflect.get(error, name));
  return `Stripe refused the request (${told.filter((one) => typeof one === 'string').join(', ')})`;
}

/** A copy that is safe to log: secrets masked by field name and by pattern, errors described, depth bounded. */
export function redact(value: unknown, options: RedactOptions, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value, options.secrets);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Error) return describeError(value, options, 0);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (Buffer.isBuffer(value)) return `[${value.length} bytes]`;
  if (depth >= maxDepth) return '[too deep]';
  if (Array.isArray(value)) return value.slice(0, 100).map((entry) => redact(entry, options, depth + 1));
  return redactFields(value, options, depth + 1);
}

/** As `redact`, for a record of fields. */
export function redactFields(fields: object, options: RedactOptions, depth = 0): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const isSecret = secretField.test(name) && value !== undefined && value !== null;
    safe[name] = isSecret ? mask : redact(value, options, depth);
  }
  return safe;
}

/**
 * A pattern that finds the configured secrets anywhere in a text. A URL stands for its password, as written and
 * decoded. Undefined if there are none.
 */
export function knownSecrets(configured: readonly (string | undefined)[]): RegExp | undefined {
  const secrets = configured
    .flatMap((value) => (value === undefined ? [] : secretsIn(value)))
    .filter((secret) => secret.length >= minSecretLength)
    // Longest first: one secret may be a prefix of another.
    .sort((left, right) => right.length - left.length);
  if (secrets.length === 0) return undefined;
  return new RegExp([...new Set(secrets)].map(escapeForPattern).join('|'), 'g');
}

function secretsIn(value: string): string[] {
  const [url] = hostUrls(value);
  if (!value.includes('://') || !URL.canParse(url)) return [value];
  const { password } = new URL(url);
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

const escapeForPattern = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
