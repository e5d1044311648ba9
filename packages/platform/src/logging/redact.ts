const SECRET_FIELD =
  /^(authorization|cookie|set-cookie|password|passwd|token|secret|signature|stripe-signature|e-?mail|api_?key|.*(_|-)(secret|token|password|email)|.*(Secret|Token|Password|Email|ApiKey)|.*_api_key|raw_?body)$/i;

const MASK = '[redacted]';
const MAX_DEPTH = 6;
const MAX_TEXT_LENGTH = 2_000;

const SECRETS_IN_TEXT: readonly [RegExp, string][] = [
  [/(\/\/)[^/\s:@]*:[^/\s@]*@/g, `$1${MASK}@`],
  [/\b((?:sk|rk|whsec)_(?:test_|live_)?)[A-Za-z0-9_]+/g, `$1${MASK}`],
  [/\b(proj_[0-9A-Za-z]{6})[0-9A-Za-z]{14,}/g, `$1${MASK}`],
  [/\b(Bearer|Basic)\s+\S+/gi, `$1 ${MASK}`],
  // Stripe's signature header: `t=…,v1=…`, or a part of it.
  [/\bt=\d{5,}(?:,v\d+=[0-9a-f]*)+/g, MASK],
  [/\bv\d+=[0-9a-f]{32,}/g, MASK],
  [/[\w.+-]+@[\w-]+\.[\w.-]+/g, MASK],
];

/**
 * Masks the process's own secrets, URL passwords, keys, tokens, signatures and e-mail addresses inside a text, and
 * cuts it to 2,000 characters.
 */
export function redactText(text: string, secrets?: RegExp): string {
  // More than is kept, so that no secret is cut in two before it is recognized; less than would take long.
  let redacted = text.slice(0, 2 * MAX_TEXT_LENGTH);
  if (secrets !== undefined) redacted = redacted.replace(secrets, MASK);
  for (const [pattern, replacement] of SECRETS_IN_TEXT) redacted = redacted.replace(pattern, replacement);
  return redacted.length > MAX_TEXT_LENGTH ? `${redacted.slice(0, MAX_TEXT_LENGTH)}…` : redacted;
}

/** An error as loggable fields: name, code and message, the stack only where `includeStack`, causes two deep. */
function describeError(error: Error, options: RedactOptions, depth: number): Record<string, unknown> {
  const described: Record<string, unknown> = { name: error.name };
  if ('code' in error && (typeof error.code === 'string' || typeof error.code === 'number')) {
    described['code'] = error.code;
  }
  described['message'] = redactText(messageOf(error), options.secrets);
  if (options.includeStack && error.stack !== undefined && !isFromPrisma(error))
    described['stack'] = redactText(error.stack, options.secrets);
  if (error.cause instanceof Error && depth < 2)
    described['cause'] = describeError(error.cause, options, depth + 1);
  return described;
}

/** Prisma shows the arguments of the call that failed, which are data of customers; its last line says what is wrong. */
const isFromPrisma = ({ name }: Error): boolean => name.startsWith('PrismaClient');

const messageOf = (error: Error): string =>
  isFromPrisma(error) ? (error.message.trimEnd().split('\n').at(-1) ?? '') : error.message;

export interface RedactOptions {
  readonly includeStack: boolean;
  /** Of `knownSecrets`. */
  readonly secrets?: RegExp | undefined;
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
  if (depth >= MAX_DEPTH) return '[too deep]';
  if (Array.isArray(value)) return value.slice(0, 100).map((entry) => redact(entry, options, depth + 1));
  return redactFields(value, options, depth + 1);
}

/** As `redact`, for a record of fields. */
export function redactFields(fields: object, options: RedactOptions, depth = 0): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const isSecret = SECRET_FIELD.test(name) && value !== undefined && value !== null;
    safe[name] = isSecret ? MASK : redact(value, options, depth);
  }
  return safe;
}
