import { adminRoles, isId } from '@billing/domain';
import type { AdminRole } from '@billing/domain';
import { z } from 'zod';
import { databaseUrls } from './database-urls.ts';
import { hostUrls } from './host-urls.ts';
import { redisUrl } from './redis-url.ts';
import { wrongDatabaseParameter, type Range } from './url-parameters.ts';

/** One environment variable: text in (undefined if unset), a checked value out. */
export type EnvField<T> = z.ZodType<T, string | undefined>;

export type NamedSecret = {
  readonly name: string;
  readonly role: AdminRole;
  /** The one project that the name is limited to; null: all. */
  readonly projectId: string | null;
  readonly secret: string;
};

/** A field whose only complaint is `expected …`, so that a value can never leak into a message. */
export function field<T>(expected: string, read: (text: string) => T | undefined): z.ZodType<T, string> {
  const error = `expected ${expected}`;
  return z.string({ error }).transform((text, context) => {
    const value = read(text.trim());
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}

function orDefault<T>(required: z.ZodType<T, string>, fallback: T | undefined): EnvField<T> {
  return fallback === undefined ? required : required.optional().transform((value) => value ?? fallback);
}

type NumberBounds = { readonly min: number; readonly max: number; readonly default?: number };

function numberField(kind: string, pattern: RegExp, bounds: NumberBounds): EnvField<number> {
  const { min, max } = bounds;
  const read = (text: string): number | undefined => {
    const value = pattern.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  };
  return orDefault(field(`${kind} from ${min} to ${max}`, read), bounds.default);
}

/** `60`, or `60-120`: whole numbers within the bounds, the smaller first. */
function rangeField(bounds: Range, fallback: Range): EnvField<Range> {
  const { min, max } = bounds;
  const read = (text: string): Range | undefined => {
    const [, from, to = from] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(text) ?? [];
    const range = { min: Number(from), max: Number(to) };
    return range.min >= min && range.max <= max && range.min <= range.max ? range : undefined;
  };
  return orDefault(
    field(`a whole number from ${min} to ${max}, or two as ${fallback.min}-${fallback.max}`, read),
    fallback,
  );
}

function urlField(protocols: readonly string[]): z.ZodType<string, string> {
  const starts = protocols.map((protocol) => `${protocol}//`).join(' or ');
  return field(`a URL that starts with ${starts}`, (text) => {
    if (!URL.canParse(text)) return undefined;
    const { protocol, hostname } = new URL(text);
    return protocols.includes(protocol) && hostname !== '' ? text : undefined;
  });
}

const databaseProtocols = ['postgres:', 'postgresql:'];

/** A Postgres URL, of one host or several, whose parameters have values that are known. */
function databaseUrl(): z.ZodType<string, string> {
  const ofOneHost = urlField(databaseProtocols);
  return field('a URL that starts with postgres:// or postgresql://', (text) =>
    hostUrls(text).every((url) => ofOneHost.safeParse(url).success) ? text : undefined,
  ).superRefine((url, context) => {
    const expected = wrongDatabaseParameter(url);
    if (expected !== undefined) context.addIssue({ code: 'custom', message: `expected ${expected}` });
  });
}

function matching(pattern: RegExp, expected: string): z.ZodType<string, string> {
  return field(expected, (text) => (pattern.test(text) ? text : undefined));
}

const secretField = (pattern = /^\S+$/, hint = 'a secret without spaces') => matching(pattern, hint);

export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function secretList(): EnvField<string[]> {
  return field('one or more secrets without spaces, comma-separated', (text) => {
    const secrets = splitList(text);
    return secrets.length > 0 && secrets.every((entry) => !/\s/.test(entry)) ? secrets : undefined;
  });
}

const keyBytes = 32;

const isKey = (key: string): boolean =>
  /^[A-Za-z0-9+/]{43}=?$/.test(key) && Buffer.from(key, 'base64').length === keyBytes;

/** Keys as base64, with or without padding, as `openssl rand -base64 32` writes them. */
function keyList(): z.ZodType<string[], string> {
  return field(`one or more keys of ${keyBytes} bytes in base64, comma-separated, each used once`, (text) => {
    const keys = splitList(text);
    const isDistinct =
      new Set(keys.map((key) => Buffer.from(key, 'base64').toString('hex'))).size === keys.length;
    return keys.length > 0 && keys.every(isKey) && isDistinct ? keys : undefined;
  });
}

/** A project in percent encoding, so that it may hold what separates the parts; undefined: it is none. */
function decodeProject(encoded: string): string | undefined {
  try {
    const decoded = decodeURIComponent(encoded);
    return isId(decoded) ? decoded : undefined;
  } catch {
    return undefined;
  }
}

/** `name[/role[/project]]:secret`; undefined: it is not of that form. */
function readNamedSecret(part: string): NamedSecret | undefined {
  const match = /^([\w.@-]{1,64})(?:\/([^:/]*)(?:\/([^:/]*))?)?:(\S+)$/.exec(part);
  if (match?.[1] === undefined || match[4] === undefined) return undefined;
  const [, name, asked = 'admin', encoded, secret] = match;
  const role = adminRoles.find((known) => known === asked);
  const projectId = encoded === undefined ? null : decodeProject(encoded);
  return role === undefined || projectId === undefined ? undefined : { name, role, projectId, secret };
}

const namedSecretForm =
  'one or more name[/role[/project]]:secret, comma-separated, each secret used once (roles: viewer, operator, admin; the project percent-encoded)';

function namedSecrets(): EnvField<NamedSecret[]> {
  return field(namedSecretForm, (text) => {
    const pairs: NamedSecret[] = [];
    for (const part of splitList(text)) {
      const pair = readNamedSecret(part);
      if (pair === undefined) return undefined;
      pairs.push(pair);
    }
    const isDistinct = new Set(pairs.map((pair) => pair.secret)).size === pairs.length;
    return pairs.length > 0 && isDistinct ? pairs : undefined;
  });
}

function plainText(fallback?: string): EnvField<string> {
  return orDefault(matching(/^\P{Cc}+$/u, 'text without control characters'), fallback);
}

function oneOf<const T extends string>(values: readonly T[], fallback?: NoInfer<T>): EnvField<T> {
  const read = (value: string): T | undefined => values.find((candidate) => candidate === value);
  return orDefault(field(`one of ${values.join(', ')}`, read), fallback);
}

/** Reusable environment fields for `z.object({ PORT: envVar.port(8000), … })`. Required unless a default is given. */
export const envVar = {
  int: (bounds: NumberBounds): EnvField<number> => numberField('a whole number', /^-?\d{1,15}$/, bounds),
  /** Fractions allowed. */
  number: (bounds: NumberBounds): EnvField<number> =>
    numberField('a number', /^-?\d{1,15}(\.\d{1,15})?$/, bounds),
  /** A TCP port. 0 asks the system for a free one. */
  port: (fallback?: number): EnvField<number> =>
    numberField('a port', /^\d{1,5}$/, {
      min: 0,
      max: 65_535,
      ...(fallback === undefined ? {} : { default: fallback }),
    }),
  /** A URL of one of these protocols, written as in `URL.protocol`: `redis:`. */
  url: (protocols: readonly string[]): EnvField<string> => urlField(protocols),
  /** As `url`, undefined when unset. */
  optionalUrl: (protocols: readonly string[]): EnvField<string | undefined> => urlField(protocols).optional(),
  /** `hint` says what is expected, as in "a Stripe secret key (sk_… or rk_…)". */
  secret: (pattern?: RegExp, hint?: string): EnvField<string> => secretField(pattern, hint),
  /** As `secret`, undefined when unset. */
  optionalSecret: (pattern?: RegExp, hint?: string): EnvField<string | undefined> =>
    secretField(pattern, hint).optional(),
  /** One or more secrets, comma-separated (rotation); never empty. */
  secretList,
  /** One or more keys of 32 bytes in base64, comma-separated. */
  keyList,
  /** One or more `name[/role[/project]]:secret`, comma-separated; all after the first colon is the secret. */
  namedSecrets,
  /** Any text without control characters. */
  text: plainText,
  /** One of the named values. */
  oneOf,
};

/** Fields that both apps spread into their schema: `z.object({ ...databaseFields, … })`. */
export const databaseFields = {
  DATABASE_URL: databaseUrl(),
  /** `sslmode=disable` is allowed to a host outside of a private network. */
  ALLOW_INSECURE_DATABASE: envVar.oneOf(['true', 'false'], 'false'),
  DATABASE_POOL_SIZE: envVar.int({ min: 1, max: 500, default: 10 }),
  /** `off` behind a connection pooler that does not support prepared statements. */
  DATABASE_PREPARED_STATEMENTS: envVar.oneOf(['on', 'off'], 'on'),
  /** After how long a connection is replaced, drawn for each. */
  DATABASE_CONNECTION_SECONDS: rangeField({ min: 1, max: 86_400 }, { min: 1_800, max: 3_600 }),
};

/** What may serve reads in place of the primary. */
export const replicaFields = {
  DATABASE_REPLICA_URLS: databaseUrls(databaseUrl()).optional(),
  REPLICA_MAX_LAG_SECONDS: envVar.number({ min: 0.1, max: 3_600, default: 5 }),
};

export const redisFields = {
  REDIS_URL: redisUrl(),
  /** Unset: the cache shares the queue's server. */
  CACHE_REDIS_URL: redisUrl().optional(),
  /** A password may go in the clear to a Redis outside of a private network. */
  ALLOW_INSECURE_REDIS: envVar.oneOf(['true', 'false'], 'false'),
  /** Unset: `bull`, and `{bull}` for a Redis Cluster. */
  QUEUE_PREFIX: envVar.text().optional(),
  /** Before every key of the cache: what environments differ by that share one server. Braces would put all into one slot. */
  CACHE_PREFIX: orDefault(matching(/^[\w.:-]{0,64}$/, 'up to 64 letters, digits and any of _ . : -'), ''),
};

export const erasureFields = {
  /** The first makes the digests of erased users, all of them match. Unset: nobody can be erased. */
  ERASURE_KEY: envVar.keyList().optional(),
};

export const stripeFields = {
  STRIPE_SECRET_KEY: envVar.secret(/^[sr]k_(test|live)_\S+$/, 'a Stripe secret key (sk_… or rk_…)'),
  /** Unset: Stripe's own. */
  STRIPE_API_BASE: envVar.optionalUrl(['http:', 'https:']),
};

export const loggingFields = {
  NODE_ENV: envVar.oneOf(['development', 'test', 'production'], 'development'),
  LOG_LEVEL: envVar.oneOf(['debug', 'info', 'warn', 'error'], 'info'),
  /** Unset: `/metrics` is open. */
  METRICS_TOKEN: envVar.optionalSecret(),
  /** Wrong credentials for each address and area; 0: no bound. */
  AUTH_FAILURES_PER_MINUTE: envVar.int({ min: 0, max: 60_000, default: 3_000 }),
  /** Base address of an OTLP/HTTP receiver of traces. Unset: no tracing. */
  OTEL_EXPORTER_OTLP_ENDPOINT: envVar.optionalUrl(['http:', 'https:']),
};
