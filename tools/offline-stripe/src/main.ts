import { parseConfig } from './config.ts';
import { createOfflineStripe } from './offline-stripe.ts';

const longestStopMs = 10_000;

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function line(event: string, fields: Record<string, unknown> = {}): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), event, ...fields })}\n`);
}

const parsed = parseConfig(process.env);
if ('badVariables' in parsed)
  fail(`The offline Stripe cannot start: bad value in ${parsed.badVariables.join(', ')}.`);
const { config } = parsed;
const stripe = createOfflineStripe({ ...config, logger: { info: line, warn: line } });

try {
  const listening = await stripe.listen(config.port, config.host);
  process.stdout.write(`Offline Stripe listens on ${listening.url}, delivering to ${config.webhookUrl}\n`);
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => process.exit(1), longestStopMs).unref();
    void listening.close().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    fail(
      `The offline Stripe cannot start: port ${config.port} is in use; stop what uses it or set OFFLINE_STRIPE_PORT.`,
    );
  }
  fail(`The offline Stripe cannot start: ${error instanceof Error ? error.message : 'unknown error'}`);
}
