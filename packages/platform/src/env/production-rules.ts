import { splitUrls } from './host-urls.ts';
import { hostsOf, isLoopback, isPrivateHost } from './hosts.ts';
import { publishedSecrets } from './published-secrets.ts';
import { parametersOf } from './tls-files.ts';
import { ignoredParameters } from './url-parameters.ts';

const minSecretLength = 24;

/** Reads another variable of the same environment. */
export type ValueOf = (name: string) => string | undefined;

const isQuoted = (value: string): boolean => /^(["']).*\1$/s.test(value.trim());

/**
 * What is wrong with a value in production that a first try gets away with; undefined: nothing. Never names the value.
 * Quotes stay in the value where an environment file is read by something other than a shell.
 */
export function productionProblem(name: string, value: string, valueOf: ValueOf): string | undefined {
  if (isQuoted(value)) return 'write it without the quotes around it';
  const problems = [rules[name]?.(value, valueOf), ignoredProblem(ignoredParameters(name, value))];
  const found = problems.filter((problem) => problem !== undefined);
  return found.length === 0 ? undefined : found.join('; ');
}

/** All of them at once: nobody should have to start again for each. */
function ignoredProblem(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  return names.length === 1
    ? `take out its parameter ${names.join()}, which has no effect`
    : `take out its parameters ${names.join(', ')}, which have no effect`;
}

const rules: Readonly<Partial<Record<string, (value: string, valueOf: ValueOf) => string | undefined>>> = {
  ADMIN_API_KEY: (value) => weakSecret(listed(value).map((pair) => pair.slice(pair.indexOf(':') + 1))),
  STRIPE_WEBHOOK_SECRET: (value) =>
    listed(value).every((secret) => secret.startsWith('whsec_'))
      ? weakSecret(listed(value))
      : 'expected the secrets of webhook endpoints, each beginning with whsec_ (a key of the API, sk_… or rk_…, verifies nothing)',
  ERASURE_KEY: (value) => weakSecret(listed(value)),
  WEBHOOK_SECRET_KEY: (value) => weakSecret(listed(value)),
  STRIPE_API_BASE: stripeBaseProblem,
  DATABASE_URL: databaseProblem,
  MIGRATE_DATABASE_URL: databaseProblem,
  DATABASE_REPLICA_URLS: (value, valueOf) =>
    splitUrls(value)
      .map((url) => databaseProblem(url, valueOf))
      .find((problem) => problem !== undefined),
  REDIS_URL: redisProblem,
  CACHE_REDIS_URL: redisProblem,
};

const listed = (value: string): string[] =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

function weakSecret(secrets: readonly string[]): string | undefined {
  if (secrets.some((secret) => publishedSecrets.has(secret)))
    return 'a secret of it is published in this repository: make a new one';
  if (secrets.some((secret) => secret.length < minSecretLength))
    return `each secret needs at least ${minSecretLength} characters`;
  return undefined;
}

function stripeBaseProblem(value: string, valueOf: ValueOf): string | undefined {
  if (/^[sr]k_live_/.test(valueOf('STRIPE_SECRET_KEY')?.trim() ?? ''))
    return 'take it out: a live key goes to Stripe alone';
  return /^http:/i.test(value.trim()) && !hostsOf(value).every(isLoopback)
    ? 'expected https://, or http:// to this machine: it carries the Stripe key'
    : undefined;
}

function databaseProblem(value: string, valueOf: ValueOf): string | undefined {
  return parametersOf(value).get('sslmode') === 'disable' &&
    hasPublicHost(value) &&
    !isTrue('ALLOW_INSECURE_DATABASE', valueOf)
    ? 'sslmode=disable sends everything in the clear to a host outside of a private network: write sslmode=verify-full (or ALLOW_INSECURE_DATABASE=true)'
    : undefined;
}

function redisProblem(value: string, valueOf: ValueOf): string | undefined {
  const isClear = /^redis(?:\+\w+)?:/i.test(value.trim());
  const hasPassword =
    isClear &&
    (/^[^/]*\/\/[^/?#]*:[^/?#]+@/.test(value.trim()) || parametersOf(value).has('sentinel_password'));
  return hasPassword && hasPublicHost(value) && !isTrue('ALLOW_INSECURE_REDIS', valueOf)
    ? 'sends its password in the clear to a host outside of a private network: write rediss:// (or ALLOW_INSECURE_REDIS=true)'
    : undefined;
}

const hasPublicHost = (url: string): boolean => !hostsOf(url).every(isPrivateHost);

const isTrue = (name: string, valueOf: ValueOf): boolean => valueOf(name)?.trim() === 'true';

const databaseVariables = ['DATABASE_URL', 'MIGRATE_DATABASE_URL'];

/** `sslmode`s with which other programs go on without encryption where the server offers none. */
const looseModes = ['allow', 'prefer'];

/** Whether a database outside of a private network is reached by a URL that does not ask for encryption. */
export function isLooselyEncrypted(name: string, value: string): boolean {
  if (name === 'DATABASE_REPLICA_URLS')
    return splitUrls(value).some((url) => isLooselyEncrypted('DATABASE_URL', url));
  if (!databaseVariables.includes(name) || !hasPublicHost(value)) return false;
  const mode = parametersOf(value).get('sslmode');
  return mode === null || looseModes.includes(mode);
}
