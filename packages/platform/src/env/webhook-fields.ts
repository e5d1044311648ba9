import { hourMs } from '@billing/domain';
import type { z } from 'zod';
import { readNetwork } from '../webhooks/allowed-address.ts';
import type { WebhookSettings } from '../webhooks/create-webhook-client.ts';
import { envVar, field, splitList } from './fields.ts';

const networks = field('networks such as 10.0.0.0/8, comma-separated', (text) => {
  const read = splitList(text).map(readNetwork);
  const known = read.filter((network) => network !== undefined);
  return known.length === read.length ? known : undefined;
});

/** What both apps send webhooks to products by. */
export const webhookFields = {
  /** Secrets of endpoints are derived from the first; a secret that another one made stays its. Unset: no endpoint can be made. */
  WEBHOOK_SECRET_KEY: envVar.keyList().optional(),
  WEBHOOK_TIMEOUT_SECONDS: envVar.number({ min: 0.1, max: 60, default: 15 }),
  /** `http:` is allowed too. */
  WEBHOOK_ALLOW_HTTP: envVar.oneOf(['true', 'false'], 'false'),
  /** Networks that are not global, and may be called all the same. */
  WEBHOOK_ALLOWED_NETWORKS: networks.optional(),
  /** An HTTP proxy through which all is sent. */
  WEBHOOK_PROXY: envVar.optionalUrl(['http:']),
};

const maxWaitSeconds = 30 * 24 * 3_600;
const maxTries = 50;

/** `0,5,300`: seconds of waiting before each try; the first is of the message, the others since the try before. */
const schedule = field(
  `up to ${maxTries} numbers of seconds from 0 to ${maxWaitSeconds}, comma-separated`,
  (text) => {
    const parts = text.split(',').map((part) => part.trim());
    const isRight = parts.every(
      (part) => /^\d{1,7}(\.\d{1,3})?$/.test(part) && Number(part) <= maxWaitSeconds,
    );
    return isRight && parts.length <= maxTries ? parts.map(Number) : undefined;
  },
);

const defaultSchedule = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/** When the worker tries again, and when it gives an endpoint up. */
export const webhookRetryFields = {
  WEBHOOK_RETRY_SCHEDULE: schedule.optional().transform((seconds) => seconds ?? defaultSchedule),
  WEBHOOK_DISABLE_AFTER_HOURS: envVar.number({ min: 0, max: 8_760, default: 120 }),
};

type WebhookEnvironment = z.output<z.ZodObject<typeof webhookFields>>;

export const webhookSettings = (parsed: WebhookEnvironment): WebhookSettings => ({
  keys: parsed.WEBHOOK_SECRET_KEY ?? [],
  timeoutMs: parsed.WEBHOOK_TIMEOUT_SECONDS * 1000,
  allowsHttp: parsed.WEBHOOK_ALLOW_HTTP === 'true',
  allowedNetworks: parsed.WEBHOOK_ALLOWED_NETWORKS ?? [],
  proxy: parsed.WEBHOOK_PROXY,
});

type RetryEnvironment = z.output<z.ZodObject<typeof webhookRetryFields>>;

/** When a delivery is tried again, and an endpoint disabled. */
export type WebhookRetrySettings = {
  /** Waits before each try. */
  scheduleMs: readonly number[];
  /** An endpoint that has failed for so long is disabled. */
  disableAfterMs: number;
};

export const webhookRetrySettings = (parsed: RetryEnvironment): WebhookRetrySettings => ({
  scheduleMs: parsed.WEBHOOK_RETRY_SCHEDULE.map((seconds) => Math.round(seconds * 1000)),
  disableAfterMs: parsed.WEBHOOK_DISABLE_AFTER_HOURS * hourMs,
});
