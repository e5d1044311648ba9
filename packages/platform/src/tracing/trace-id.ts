import type { IncomingHttpHeaders } from 'node:http';
import { isSpanContextValid, isValidSpanId, isValidTraceId, trace, TraceFlags } from '@opentelemetry/api';

/** `version-trace-parent-flags`, all lower-case hexadecimal; later versions may add parts (W3C Trace Context). */
const form = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The trace of a well-formed `traceparent` whose sender records it; undefined: none. */
function sampledTraceOf(traceparent: string): string | undefined {
  const [, version, traceId = '', parentId = '', flags = '', more] = form.exec(traceparent) ?? [];
  if (version === '00' && more !== undefined) return undefined;
  if (!isValidTraceId(traceId) || !isValidSpanId(parentId)) return undefined;
  return (Number.parseInt(flags, 16) & TraceFlags.SAMPLED) === 0 ? undefined : traceId;
}

/** The trace that this code runs in; undefined without OTLP. */
export function activeTraceId(): string | undefined {
  const active = trace.getActiveSpan()?.spanContext();
  return active !== undefined && isSpanContextValid(active) ? active.traceId : undefined;
}

/** The trace of a request: the active one with OTLP, else the caller's if its `traceparent` is valid and sampled. */
export function traceIdOf(headers: IncomingHttpHeaders): string | undefined {
  const { traceparent } = headers;
  return activeTraceId() ?? (typeof traceparent === 'string' ? sampledTraceOf(traceparent) : undefined);
}

/** The field of a log line, in every line of what is traced. */
export const traceFields = (traceId: string | undefined): { trace_id?: string } =>
  traceId === undefined ? {} : { trace_id: traceId };
