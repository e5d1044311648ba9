import { z } from 'zod';
import { readJsonFile } from '@billing/platform';
import { CliError } from './cli-error.ts';

export type Service = { url: string; adminSecret: string };

const stackFile = z.object({ api_url: z.string(), admin_api_key: z.string() });

/**
 * Which service, and with which secret: the environment, else the stack that `npm start` runs here. The two
 * are never mixed, so that a secret reaches no service it is not for.
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
