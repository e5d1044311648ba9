import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Span, Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  SamplingDecision,
} from '@opentelemetry/sdk-trace-node';
import type { Sampler } from '@opentelemetry/sdk-trace-node';
import { PrismaInstrumentation } from '@prisma/instrumentation';
import type { Telemetry } from 'bullmq';
import { BullMQOtel } from 'bullmq-otel';
import { withDeadline } from '../deadline.ts';

export type Tracing = {
  /** For BullMQ's queues and workers: a job carries the trace it was added in. */
  readonly telemetry: Telemetry;
  /** Makes each request of a server a span, in the caller's trace if it sent a `traceparent`. */
  readonly traceRequests: (server: Server) => void;
  /** Sends the remaining spans, for two seconds at most. */
  readonly stop: () => Promise<void>;
};

const exportTimeoutMs = 2_000;
/** Often enough to watch a trace arrive, seldom enough to send many spans at once. */
const exportEveryMs = 1_000;

/** Registers the process's tracer. A receiver that is away costs spans, never a request or a job. */
export function startOtlpTracing({ service, endpoint }: { service: string; endpoint: string }): Tracing {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: exportTimeoutMs,
  });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'process.pid': process.pid }),
    sampler: new ParentBasedSampler({ root: rootSampler }),
    spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: exportEveryMs })],
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
        ms: exportTimeoutMs,
        onTimeout: () => new Error('the receiver of traces did not answer in time'),
      }).catch(() => undefined),
  };
}

/**
 * A trace begins with a request or a job. Loops that read Postgres and Redis every second would otherwise be most of
 * the traces. A span within a caller's trace follows the caller's choice.
 */
const rootKinds: ReadonlySet<SpanKind> = new Set([SpanKind.SERVER, SpanKind.CONSUMER, SpanKind.PRODUCER]);
const rootSampler: Sampler = {
  shouldSample: (_context, _traceId, _name, kind) => ({
    decision: rootKinds.has(kind) ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD,
  }),
  toString: () => 'RequestsAndJobs',
};

/** Puts a span around each request, outside the app: without tracing, nothing of it runs. */
function traceRequests(server: Server, tracer: Tracer): void {
  const listeners = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const caller = propagation.extract(ROOT_CONTEXT, request.headers);
    const method = request.method ?? 'GET';
    const attributes = { 'http.request.method': method };
    const span = tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, caller);
    response.once('close', () => finish(span, request, response));
    context.with(trace.setSpan(caller, span), () => {
      for (const listener of listeners) Reflect.apply(listener, server, [request, response]);
    });
  });
}

/** Names the span after the route's pattern: an address can contain user ids and anything else. */
function finish(span: Span, request: IncomingMessage, response: ServerResponse): void {
  const route: unknown = Reflect.get(request, 'route');
  const path = typeof route === 'object' && route !== null ? Reflect.get(route, 'path') : undefined;
  if (typeof path === 'string') {
    span.updateName(`${request.method ?? 'GET'} ${path}`);
    span.setAttribute('http.route', path);
  }
  span.setAttribute('http.response.status_code', response.statusCode);
  const requestId = response.getHeader('x-request-id');
  if (typeof requestId === 'string') span.setAttribute('billing.request_id', requestId);
  if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
