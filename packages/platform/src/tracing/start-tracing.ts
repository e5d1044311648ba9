import type { Server } from 'node:http';
import type { Telemetry } from 'bullmq';

export interface TracingOptions {
  readonly service: string;
  /** Base address of an OTLP/HTTP receiver; traces go to its `/v1/traces`. Undefined: no tracing. */
  readonly endpoint: string | undefined;
}

export interface Tracing {
  /** For BullMQ's queues and workers: a job carries the trace of whoever added it. */
  readonly telemetry: Telemetry;
  /** Makes each request of a server a span, in the caller's trace if it sent a `traceparent`. */
  traceRequests(server: Server): void;
  /** Sends what is left, for two seconds at most. */
  stop(): Promise<void>;
}

/**
 * Starts OpenTelemetry traces where an endpoint is given. Nothing of the SDK is loaded otherwise, and what is asked to
 * make a span (`withSpan`) makes none.
 */
export async function startTracing({ service, endpoint }: TracingOptions): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined;
  const { startOtlpTracing } = await import('./otlp-tracing.ts');
  return startOtlpTracing({ service, endpoint });
}
