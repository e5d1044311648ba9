import { parseArgs } from 'node:util';
import { copyCheckout, freePorts, waitFor } from '@billing/testing';
import { z } from 'zod';
import { sources } from './check.ts';
import type { Check } from './check.ts';
import { clients } from './clients.ts';
import { compose } from './compose.ts';
import { helm } from './helm.ts';
import { promtoolChecks } from './promtool.ts';
import { redocly } from './redocly.ts';
import { describe, runCheck, summarize } from './run-checks.ts';
import type { Outcome } from './run-checks.ts';
import { schemathesis } from './schemathesis.ts';
import { standardWebhooks } from './standard-webhooks.ts';
import { stripeCli } from './stripe-cli.ts';
import { stripeMock } from './stripe-mock.ts';

/**
 * `npm run check:tools`: tools that others wrote, each at one version, are run against docs/openapi.json and a system that
 * runs. `-- --only npm,go`: those from there alone. What is missing on this machine is skipped; in CI that is a failure.
 */
const allChecks: readonly Check[] = [
  redocly,
  stripeCli,
  stripeMock,
  ...clients,
  ...promtoolChecks,
  ...standardWebhooks,
  schemathesis,
  compose,
  helm,
];

const only = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(sources)));

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: 'string', default: sources.join(',') } } });
  const chosen = only.safeParse(values.only);
  if (!chosen.success) {
    console.error(`--only takes some of ${sources.join(', ')}, with commas between them.`);
    return 2;
  }
  const checks = allChecks.filter(({ source }) => chosen.data.includes(source));
  for (const { name, source } of allChecks)
    if (!chosen.data.includes(source)) console.log(`left out ${name}: not in --only`);
  const checkout = copyCheckout();
  const end = async (): Promise<void> => {
    await checkout.stopAll();
    checkout.remove();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void end().finally(() => process.exit(1)));
  try {
    const started = await checkout.start(await freePorts());
    await waitFor(() => checkout.hasStackFile() || !started.isRunning(), {
      what: 'the system',
      timeoutMs: 90_000,
    });
    if (!started.isRunning()) throw new Error(`The system did not start:\n${started.output()}`);
    const system = { checkout, stack: checkout.stack() };
    const outcomes: Outcome[] = [];
    for (const check of checks) {
      const outcome = await runCheck(check, system);
      console.log(describe(outcome));
      outcomes.push(outcome);
    }
    const { line, exitCode } = summarize(outcomes, { mayNotSkip: (process.env['CI'] ?? '') !== '' });
    console.log(line);
    return exitCode;
  } finally {
    await end();
  }
}

process.exitCode = await main();
