import { once } from 'node:events';
import { createServer } from 'node:http';
import { checkItems, checkoutRequest, checkoutResponse, resolveCheckout } from '@billing/domain';
import { createStripeClient, warmUp } from '@billing/platform';
import { readSale } from '@billing/store';
import type { AppDeps } from '../deps.ts';
import { createCheckout } from '../endpoints/checkout/create-checkout.ts';
import { startStripeBudget } from './call-stripe.ts';
import { createSession } from './create-session.ts';
import { toResponse } from './sell.ts';
import { sessionParams } from './session-params.ts';

const limits = { rounds: 100, ms: 500 } as const;
const budgetMs = 1_000;

const session = {
  id: 'cs_test_warm',
  object: 'checkout.session',
  url: 'https://checkout.stripe.com/c/pay/cs_test_warm',
  expires_at: 1_795_341_600,
};
const price = {
  priceId: 'warm',
  stripePriceId: 'price_warm',
  productId: 'warm',
  interval: 'month',
  isMetered: false,
  isArchived: false,
  group: null,
  maxTrials: null,
};

/**
 * Runs the way of a checkout as often as its code needs to be compiled: at some ten a second it never would be. Nothing
 * is sold: the project does not exist, and what answers for Stripe is a server of this process.
 */
export async function warmCheckout({
  database,
  logger,
}: Pick<AppDeps, 'database' | 'logger'>): Promise<void> {
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader('content-type', 'application/json').end(JSON.stringify(session));
  }).listen({ port: 0, host: '127.0.0.1', exclusive: true });
  try {
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const stripe = createStripeClient({ secretKey: 'sk_test_warm', apiBase: `http://127.0.0.1:${port}` });
    const oneTry = { stripeKeySeed: '', unanswered: null, willAsk: () => Promise.resolve() };
    const sellNothing = async (): Promise<void> => {
      const request = checkoutRequest.parse(createCheckout.body?.example);
      await readSale(database, { projectId: '', userId: '', prices: [''] });
      const now = Date.now();
      const sale = { items: checkItems(request, [price]), checkout: resolveCheckout(request, {}, now) };
      const order = { projectId: '', request };
      const params = sessionParams({ order, sale, customer: 'cus_warm', promotionCode: null, now });
      const budget = startStripeBudget(budgetMs);
      const made = await createSession({ stripe, logger }, { params, oneTry, requestHash: '' }, budget);
      checkoutResponse.parse(toResponse(made, false));
    };
    await warmUp(sellNothing, limits);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
