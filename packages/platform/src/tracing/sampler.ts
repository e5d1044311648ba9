import { SpanKind } from '@opentelemetry/api';
import { ParentBasedSampler, SamplingDecision } from '@opentelemetry/sdk-trace-node';
import type { Sampler } from '@opentelemetry/sdk-trace-node';

const RECORD = { decision: SamplingDecision.RECORD_AND_SAMPLED };
const DROP = { decision: SamplingDecision.NOT_RECORD };

/** A trace begins with a request or a job, whatever began elsewhere keeps its caller's choice. */
const BEGINNINGS: ReadonlySet<SpanKind> = new Set([SpanKind.SERVER, SpanKind.CONSUMER, SpanKind.PRODUCER]);

/** Loops that look into Postgres and Redis every second would otherwise be most of the traces. */
export function createSampler(): Sampler {
  const root: Sampler = {
    shouldSample: (_context, _traceId, _name, kind) => (BEGINNINGS.has(kind) ? RECORD : DROP),
    toString: () => 'RequestsAndJobs',
  };
  return new ParentBasedSampler({ root });
}
