import { ignoredParameters } from './url-parameters.ts';

const isQuoted = (value: string): boolean => /^(["']).*\1$/s.test(value.trim());

/**
 * What is wrong with a value in production that a first try gets away with; undefined: nothing. Never names the value.
 * Quotes stay in the value where an environment file is read by something other than a shell.
 */
export function productionProblem(name: string, value: string): string | undefined {
  if (isQuoted(value)) return 'write it without the quotes around it';
  if (name === 'STRIPE_WEBHOOK_SECRET' && !value.split(',').every(isWebhookSecretOrEmpty))
    return 'expected the secrets of webhook endpoints, each beginning with whsec_ (a key of the API, sk_… or rk_…, verifies nothing)';
  const [ignored] = ignoredParameters(name, value);
  return ignored === undefined ? undefined : `take out its parameter ${ignored}, which has no effect`;
}

const isWebhookSecretOrEmpty = (text: string): boolean => /^(?:whsec_.*)?$/s.test(text.trim());
