import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import type { Tracing } from './otlp-tracing.ts';

export type TracingOptions = {
  readonly service: string;
  /** Base address of an OTLP/HTTP receiver; traces go to its `/v1/traces`. Undefined: no tracing. */
  readonly endpoint: string | undefined;
};

/** Whether this process traces: asking OpenTelemetry for a tracer that does nothing is a fiftieth of the worker's work. */
let isTracing = false;

/** Starts OpenTelemetry traces. Without an endpoint the SDK is not loaded, and `withSpan` makes no span. */
export async function startTracing({ service, endpoint }: TracingOptions): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined;
  const { startOtlpTracing } = await import('./otlp-tracing.ts');
  isTracing = true;
  return startOtlpTracing({ service, endpoint });
}

/** Runs a call to another server as a span of the current trace; without tracing it just runs it. */
export function withSpan<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  if (!isTracing) return work();
  return trace
    .getTracer('billing')
    .startActiveSpan(name, { kind: SpanKind.CLIENT, attributes }, async (span) => {
      try {
        return await work();
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
}
