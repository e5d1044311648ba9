import { z } from 'zod';

/** One environment variable: text in (undefined if unset), a checked value out. */
export type EnvField<T> = z.ZodType<T, string | undefined>;

export interface NamedSecret {
  readonly name: string;
  readonly secret: string;
}

/** A field whose only complaint is `expected …`, so that a value can never leak into a message. */
function field<T>(expected: string, read: (text: string) => T | undefined): z.ZodType<T, string> {
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

function readNumber(pattern: RegExp, bounds: { min: number; max: number }) {
  return (text: string): number | undefined => {
    const value = pattern.test(text) ? Number(text) : Number.NaN;
    return value >= bounds.min && value <= bounds.max ? value : undefined;
  };
}

interface NumberBounds {
  readonly min: number;
  readonly max: number;
  readonly default?: number;
}

/** A whole number within bounds; required unless a default is given. */
function int({ min, max, default: fallback }: NumberBounds): EnvField<number> {
  return orDefault(
    field(`a whole number from ${min} to ${max}`, readNumber(/^-?\d{1,15}$/, { min, max })),
    fallback,
  );
}

/** A number within bounds, fractions allowed. */
function number({ min, max, default: fallback }: NumberBounds): EnvField<number> {
  return orDefault(
    field(`a number from ${min} to ${max}`, readNumber(/^-?\d{1,15}(\.\d{1,15})?$/, { min, max })),
    fallback,
  );
}

/** A TCP port. 0 asks the system for a free one. */
function port(fallback?: number): EnvField<number> {
  return orDefault(
    field('a port from 0 to 65535', readNumber(/^\d{1,5}$/, { min: 0, max: 65_535 })),
    fallback,
  );
}

function readUrl(protocols: readonly string[]) {
  return (text: string): string | undefined => {
    if (!URL.canParse(text)) return undefined;
    const parsed = new URL(text);
    return protocols.includes(parsed.protocol) && parsed.hostname !== '' ? text : undefined;
  };
}

function urlField(protocols: readonly string[]): z.ZodType<string, string> {
  return field(`a URL that starts with ${protocols.map((p) => `${p}//`).join(' or ')}`, readUrl(protocols));
}

/** A URL of one of these protocols (written as in `URL.protocol`, e.g. `redis:`); required. */
function url(protocols: readonly string[]): EnvField<string> {
  return urlField(protocols);
}

/** As `url`, undefined when unset. */
function optionalUrl(protocols: readonly string[]): EnvField<string | undefined> {
  return urlField(protocols).optional();
}

/** A secret; `hint` says what is expected, as in "a Stripe secret key (sk_… or rk_…)". */
function secret(pattern: RegExp = /^\S+$/, hint = 'a secret without spaces'): EnvField<string> {
  return field(hint, (text) => (pattern.test(text) ? text : undefined));
}

/** As `secret`, undefined when unset. */
function optionalSecret(
  pattern: RegExp = /^\S+$/,
  hint = 'a secret without spaces',
): EnvField<string | undefined> {
  return field(hint, (text) => (pattern.test(text) ? text : undefined)).optional();
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** One or more secrets, comma-separated (rotation); never empty. */
function secretList(): EnvField<string[]> {
  return field('one or more secrets without spaces, comma-separated', (text) => {
    const secrets = splitList(text);
    return secrets.length > 0 && secrets.every((entry) => !/\s/.test(entry)) ? secrets : undefined;
  });
}

/** One or more `name:secret` pairs, comma-separated; only the first colon divides, so a secret may hold others. */
function namedSecrets(): EnvField<NamedSecret[]> {
  return field('one or more name:secret pairs, comma-separated, each secret used once', (text) => {
    const pairs: NamedSecret[] = [];
    for (const part of splitList(text)) {
      const match = /^([\w.@-]{1,64}):(\S+)$/.exec(part);
      if (match?.[1] === undefined || match[2] === undefined) return undefined;
      pairs.push({ name: match[1], secret: match[2] });
    }
    const isDistinct = new Set(pairs.map((pair) => pair.secret)).size === pairs.length;
    return pairs.length > 0 && isDistinct ? pairs : undefined;
  });
}

/** Any text without control characters; required unless a default is given. */
function plainText(fallback?: string): EnvField<string> {
  return orDefault(
    field('text without control characters', (value) => (/^\P{Cc}+$/u.test(value) ? value : undefined)),
    fallback,
  );
}

/** One of the named values; required unless a default is given. */
function oneOf<const T extends string>(values: readonly T[], fallback?: NoInfer<T>): EnvField<T> {
  return orDefault(
    field(`one of ${values.join(', ')}`, (value) => values.find((candidate) => candidate === value)),
    fallback,
  );
}

/** Reusable environment fields for `z.object({ PORT: envVar.port(8000), … })`. */
export const envVar = {
  int,
  number,
  port,
  url,
  optionalUrl,
  secret,
  optionalSecret,
  secretList,
  namedSecrets,
  text: plainText,
  oneOf,
};
