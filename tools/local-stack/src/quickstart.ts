import { randomBytes } from 'node:crypto';
import { paths } from './paths.ts';
import type { StackFile } from './stack.ts';

/** What is printed when all is ready: addresses, and three steps whose lines can be pasted one by one. */
export function quickstart(
  stack: StackFile,
  { seconds, isOffline }: { seconds: number; isOffline: boolean },
): string {
  return `
Ready in ${seconds.toFixed(1)} s. Ctrl-C stops everything.

  API        ${stack.api_url}
  Console    ${stack.console_url}  (name: local, secret: admin_api_key in the file of keys)
  Worker     ${stack.worker_url}
  Stripe     ${stack.stripe_url}${isOffline ? '  (offline)' : ''}
  Postgres   ${withoutPassword(stack.database_url)}
  Redis      ${withoutPassword(stack.redis_url)}
  Project    ${stack.project_id}
  Keys, URLs ${paths.stack}
  Logs       ${paths.logs}

${threeSteps(stack, isOffline)}`;
}

function threeSteps(stack: StackFile, isOffline: boolean): string {
  const user = `user_${randomBytes(4).toString('hex')}`;
  const key = `-H 'Authorization: Bearer ${stack.api_key}'`;
  const check = `curl -s '${stack.api_url}/api/v1/entitlements?user_id=${user}' ${key}; echo`;
  const purchase = JSON.stringify({
    user_id: user,
    price_id: stack.prices.subscription,
    mode: 'subscription',
    success_url: `${stack.api_url}/healthz`,
    cancel_url: `${stack.api_url}/healthz`,
  });
  const buy = `curl -s '${stack.api_url}/api/v1/checkout/create' ${key} -H 'Content-Type: application/json' -d '${purchase}' | tee '${paths.checkout}'; echo`;
  const session = `$(sed 's/.*"session_id":"\\([^"]*\\)".*/\\1/' '${paths.checkout}')`;
  const pay = isOffline
    ? `   Pay: open the checkout_url in a browser and press Pay, or paste

curl -s -X POST "${stack.stripe_url}/_offline/checkout/sessions/${session}/pay" > /dev/null && sleep 1`
    : `   Pay: open the checkout_url in a browser. Stripe's webhooks arrive here while this runs:

   stripe listen --forward-to ${stack.api_url}/api/v1/webhooks/stripe`;
  return `A tour: paste line by line.

1. What may ${user} do? Nothing yet.

${check}

2. Buy.

${buy}

${pay}

3. Check again: all that Premium gives, each with valid_to.

${check}

What a product is told meanwhile, each message verified: npm run listen (in another terminal).
`;
}

/** Not by `URL`, which reads no list of hosts. */
const withoutPassword = (url: string): string =>
  url.replace(/^([^/]*\/\/[^/?#:@]*:)[^/?#]*@/, '$1***@').replaceAll(/(password=)[^&#]*/g, '$1***');
