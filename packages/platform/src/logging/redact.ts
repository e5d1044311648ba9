const SECRET_FIELD =
  /^(authorization|cookie|set-cookie|password|passwd|token|secret|signature|stripe-signature|e-?mail|api_?key|.*(_|-)(secret|token|password|email)|.*(Secret|Token|Password|Email|ApiKey)|.*_api_key|raw_?body)$/i;

const MASK = '[redacted]';
const MAX_DEPTH = 6;
const MAX_TEXT_LENGTH = 2_000;

const SECRETS_IN_TEXT: readonly [RegExp, string][] = [
  [/(\/\/)[^/\s:@]*:[^/\s@]*@/g, `$1${MASK}@`],
  [/\b((?:sk|rk|whsec)_(?:test_|live_)?)[A-Za-z0-9_]+/g, `$1${MASK}`],
  [/\bBearer\s+\S+/gi, `Bearer ${MASK}`],
  [/[\w.+-]+@[\w-]+\.[\w.-]+/g, MASK],
];

/** Masks URL passwords, Stripe keys, bearer tokens and e-mail addresses inside a text, and cuts it to 2,000 characters. */
export function redactText(text: string): string {
  let redacted = text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text;
  for (const [pattern, replacement] of SECRETS_IN_TEXT) redacted = redacted.replace(pattern, replacement);
  return redacted;
}

/** An error as loggable fields: name, code and message, the stack only where `includeStack`, causes two deep. */
function describeError(error: Error, options: RedactOptions, depth: number): Record<string, unknown> {
  const described: Record<string, unknown> = { name: error.name };
  if ('code' in error && (typeof error.code === 'string' || typeof error.code === 'number')) {
    described['code'] = error.code;
  }
  described['message'] = redactText(error.message);
  if (options.includeStack && error.stack !== undefined) described['stack'] = redactText(error.stack);
  if (error.cause instanceof Error && depth < 2)
    described['cause'] = describeError(error.cause, options, depth + 1);
  return described;
}

export interface RedactOptions {
  readonly includeStack: boolean;
}

/** A copy that is safe to log: secrets masked by field name and by pattern, errors described, depth bounded. */
export function redact(value: unknown, options: RedactOptions, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
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
