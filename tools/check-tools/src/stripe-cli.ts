import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripeCliTriggers } from '@billing/offline-stripe';
import { waitFor } from '@billing/testing';
import { z } from 'zod';
import { ask } from './ask.ts';
import type { Check, System } from './check.ts';
import { installFromNpm, root, runTool } from './run-tool.ts';

/** Stripe's own command line makes what it makes at Stripe, and the service takes every event that comes of it. */
export const stripeCli: Check = {
  name: 'Stripe CLI',
  source: 'npm',
  needs: [],
  run: async (system) => {
    const programs = await installFromNpm('@stripe/cli', '1.51.1');
    const home = mkdtempSync(join(tmpdir(), 'billing-stripe-cli-'));
    try {
      const stripe = commandLine(join(programs, 'stripe'), home, system);
      for (const type of stripeCliTriggers) await trigger(stripe, type);
      await resend(stripe);
      await stripe('fixtures', join(root, 'tools/check-tools/subscription.fixture.json'));
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
    await untilApplied(system);
    return `${stripeCliTriggers.length} triggers, an event sent again, a fixture that grants`;
  },
};

type Stripe = (...args: string[]) => Promise<string>;

/** The Stripe CLI at the system's offline Stripe; returns what it prints. */
function commandLine(program: string, home: string, { stack }: System): Stripe {
  const env = {
    HOME: home,
    XDG_CONFIG_HOME: home,
    STRIPE_API_KEY: 'sk_test_of_the_check',
    STRIPE_CLI_TELEMETRY_OPTOUT: '1',
    // For the fixture.
    PROJECT: stack.project_id,
    PRICE: stack.prices.subscription,
  };
  return async (...args) => {
    const ran = await runTool(program, [...args, '--api-base', stack.stripe_url], { env, timeoutMs: 60_000 });
    return ran.stdout;
  };
}

const eventList = z.object({ data: z.array(z.object({ id: z.string() })) });

async function newest(stripe: Stripe, ...filter: string[]): Promise<string | undefined> {
  const printed = await stripe('events', 'list', '--limit', '1', ...filter);
  return eventList.parse(JSON.parse(printed)).data[0]?.id;
}

/** The CLI is content as soon as its calls succeeded; the event may be made a moment later. */
async function trigger(stripe: Stripe, type: string): Promise<void> {
  const ofType = ['--type', type];
  const before = await newest(stripe, ...ofType);
  await stripe('trigger', type);
  const isMade = async (): Promise<boolean> => (await newest(stripe, ...ofType)) !== before;
  await waitFor(isMade, { what: `the event of stripe trigger ${type}`, timeoutMs: 10_000, intervalMs: 200 });
}

/** The Stripe CLI ends with 0 also where it was refused: what it prints counts. */
async function resend(stripe: Stripe): Promise<void> {
  const id = (await newest(stripe)) ?? '';
  const printed = await stripe('events', 'resend', id);
  if (!z.object({ id: z.literal(id) }).safeParse(JSON.parse(printed)).success)
    throw new Error(`stripe events resend ${id}:\n${printed}`);
}

const failedEvents = z.object({ data: z.array(z.object({ type: z.string() })) });

/** What the fixture sold is granted, and no event failed. */
async function untilApplied(system: System): Promise<void> {
  const check = '/api/v1/entitlements?user_id=user_of_a_fixture';
  await waitFor(async () => (await ask(system, check, 'project')).includes('premium_export'), {
    what: 'what the fixture sells',
    timeoutMs: 20_000,
  });
  const { data } = failedEvents.parse(JSON.parse(await ask(system, '/api/v1/admin/events?status=failed')));
  if (data.length > 0) throw new Error(`The service failed at ${data.map(({ type }) => type).join(', ')}.`);
}
