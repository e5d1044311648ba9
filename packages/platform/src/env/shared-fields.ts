import { envVar } from './fields.ts';

/** Shapes that both apps spread into their schema: `z.object({ ...databaseFields, … })`. */
export const databaseFields = {
  DATABASE_URL: envVar.url(['postgres:', 'postgresql:']),
  DATABASE_POOL_SIZE: envVar.int({ min: 1, max: 500, default: 10 }),
  /** `off` where a pooler between does not know prepared statements. */
  DATABASE_PREPARED_STATEMENTS: envVar.oneOf(['on', 'off'], 'on'),
};

export const redisFields = {
  REDIS_URL: envVar.url(['redis:', 'rediss:']),
  /** Unset: the cache shares the queue's server. */
  CACHE_REDIS_URL: envVar.optionalUrl(['redis:', 'rediss:']),
  QUEUE_PREFIX: envVar.text('bull'),
};

export const stripeFields = {
  STRIPE_SECRET_KEY: envVar.secret(/^[sr]k_(test|live)_\S+$/, 'a Stripe secret key (sk_… or rk_…)'),
  /** Unset: Stripe's own. */
  STRIPE_API_BASE: envVar.optionalUrl(['http:', 'https:']),
};

export const loggingFields = {
  NODE_ENV: envVar.oneOf(['development', 'test', 'production'], 'development'),
  LOG_LEVEL: envVar.oneOf(['debug', 'info', 'warn', 'error'], 'info'),
  /** Unset: `/metrics` is open. */
  METRICS_TOKEN: envVar.optionalSecret(),
  /** Base address of an OTLP/HTTP receiver of traces. Unset: none are made. */
  OTEL_EXPORTER_OTLP_ENDPOINT: envVar.optionalUrl(['http:', 'https:']),
};
