import { trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { PrismaInstrumentation } from '@prisma/instrumentation';
import { BullMQOtel } from 'bullmq-otel';
import { withDeadline } from '../deadline.ts';
import { createSampler } from './sampler.ts';
import type { Tracing } from './start-tracing.ts';
import { traceRequests } from './trace-requests.ts';

const EXPORT_TIMEOUT_MS = 2_000;
/** Often enough to watch a trace come in, seldom enough to send many spans at once. */
const EXPORT_EVERY_MS = 1_000;

/** Registers the process's tracer. A receiver that is away costs spans, never a request or a job. */
export function startOtlpTracing({ service, endpoint }: { service: string; endpoint: string }): Tracing {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'process.pid': process.pid }),
    sampler: createSampler(),
    spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: EXPORT_EVERY_MS })],
  });
  provider.register();
  const prisma = new PrismaInstrumentation();
  prisma.setTracerProvider(provider);
  prisma.enable();
  return {
    telemetry: new BullMQOtel({ tracerName: service }),
    traceRequests: (server) => traceRequests(server, trace.getTracer(service)),
    stop: () =>
      withDeadline(provider.shutdown(), {
        ms: EXPORT_TIMEOUT_MS,
        onTimeout: () => new Error('the receiver of traces did not answer in time'),
      }).catch(() => undefined),
  };
}
