import { setTimeout as sleep } from 'node:timers/promises';
import { decideTry, secondMs, shareSlots } from '@billing/domain';
import { startLoop } from '@billing/platform';
import type {
  Logger,
  WebhookAttempt,
  WebhookClient,
  WebhookRetrySettings,
  WebhookSecrets,
  WebhookSettings,
} from '@billing/platform';
import {
  claimDeliveries,
  disableEndpoint,
  findDueEndpoints,
  recordTries,
  releaseClaims,
} from '@billing/store';
import type { ClaimedSending, Database, RecordedTry } from '@billing/store';
import { createNudge } from './nudge.ts';
import type { SenderMetrics } from './webhook-metrics.ts';

export type SenderDeps = {
  database: Database;
  logger: Logger;
  client: WebhookClient;
  secrets: WebhookSecrets;
  settings: WebhookSettings & WebhookRetrySettings;
  counters: SenderMetrics;
};

export type Sender = {
  /** Something may be due. */
  nudge: () => void;
  /** Ends what is under way, or leaves it to others. */
  stop: () => Promise<void>;
};

/** Requests at once, over all endpoints; those that fail have half of them. */
const mostInFlight = 1_000;
/** Begun in one turn. */
const mostClaimed = 256;
/** A claim of a worker that died ends so long after its request would have. */
const claimMarginMs = 20 * secondMs;
const busyMs = 50;
const idleMs = 250;
/** After the last claim the next look comes soon. */
const busyForMs = 5 * secondMs;
/** A process that stops waits so long for answers. */
const graceMs = 5 * secondMs;
const retryMs = 250;

type Sending = { claimed: ClaimedSending; isFailing: boolean };

/**
 * Delivers messages to products: takes what is due, sends it, and writes down what came of it. All workers share the work by
 * Postgres alone.
 */
export function startSender(deps: SenderDeps): Sender {
  const { database, logger, secrets, settings, counters } = deps;
  const { nudge, wait } = createNudge();
  const underWay = new Map<number, Sending>();
  const ended: RecordedTry[] = [];
  let busyUntil = 0;

  async function send(claimed: ClaimedSending): Promise<void> {
    const attempt = await deps.client.post(claimed);
    ended.push(toRecord(claimed, attempt, settings));
    nudge();
  }

  async function record(): Promise<void> {
    const tries = [...ended];
    if (tries.length === 0) return;
    const disabled = await recordTries(database, tries, settings);
    ended.splice(0, tries.length);
    for (const { claim: one, decided } of tries) {
      underWay.delete(one.id);
      counters.deliveries.inc({ outcome: decided.outcome });
    }
    for (const one of disabled)
      if (await disableEndpoint(database, { ...one, ...settings }))
        logger.warn('webhook_endpoint_disabled', { endpoint_id: one.endpointId, reason: one.reason });
  }

  /** Returns whether something was there to do. */
  async function claim(): Promise<boolean> {
    const failing = [...underWay.values()].filter(({ isFailing }) => isFailing).length;
    const free = Math.min(mostClaimed, mostInFlight - underWay.size);
    if (free <= 0) return false;
    const due = await findDueEndpoints(database, secrets);
    const takes = shareSlots(
      due.filter(({ isOpen }) => isOpen),
      { free, failingFree: Math.max(0, mostInFlight / 2 - failing) },
    );
    const closed = due.filter(({ isOpen }) => !isOpen).map(({ id }) => id);
    if (takes.length + closed.length === 0) return false;
    const isFailing = new Set(takes.filter((one) => one.isFailing).map(({ id }) => id));
    const claimed = await claimDeliveries(database, {
      takes,
      closed,
      claimMs: settings.timeoutMs + claimMarginMs,
      firstWaitMs: settings.scheduleMs[0] ?? 0,
      secretsOf: (endpoint) => secrets.living(endpoint, Date.now()),
    });
    if (claimed.discarded > 0) counters.deliveries.inc({ outcome: 'discarded' }, claimed.discarded);
    for (const one of claimed.sendings) {
      underWay.set(one.id, { claimed: one, isFailing: isFailing.has(one.endpointId) });
      void send(one);
    }
    return claimed.sendings.length + claimed.discarded + claimed.putOff > 0;
  }

  const loop = startLoop({ name: 'webhook_sender', logger, intervalMs: retryMs }, async (signal) => {
    await record();
    if (await claim()) busyUntil = performance.now() + busyForMs;
    else await wait(performance.now() < busyUntil ? busyMs : idleMs, signal);
    return 'again';
  });

  async function finish(): Promise<void> {
    const endsAt = performance.now() + graceMs;
    while (ended.length < underWay.size && performance.now() < endsAt) await sleep(10);
    await record();
    await releaseClaims(
      database,
      [...underWay.values()].map(({ claimed }) => claimed),
    );
  }

  return {
    nudge,
    stop: async () => {
      await loop.stop();
      await finish().catch((error: unknown) => logger.warn('webhook_claims_not_released', { error }));
    },
  };
}

function toRecord(
  { body: _body, url: _url, secrets: _secrets, ...claim }: ClaimedSending,
  attempt: WebhookAttempt,
  { scheduleMs }: WebhookRetrySettings,
): RecordedTry {
  const { status, retryAfter, at, durationMs } = attempt;
  const decided = decideTry({
    status,
    retryAfter,
    triesBefore: claim.triesBefore,
    isResend: claim.isResend,
    endedAt: at.getTime() + durationMs,
    scheduleMs,
    random: Math.random(),
  });
  return { claim, attempt, decided };
}
