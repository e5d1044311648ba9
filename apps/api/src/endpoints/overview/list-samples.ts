import { sampleList, samplesQuery, sampleWindow, toTimestamp } from '@billing/domain';
import { readSamples } from '@billing/store';
import { defineEndpoint } from '../../http/define-endpoint.ts';

export const queueStateExample = {
  name: 'stripe-events',
  waiting: 3,
  active: 2,
  delayed: 0,
  failed: 0,
  oldest_seconds: 0.4,
};

export const listSamples = defineEndpoint({
  method: 'get',
  path: '/api/v1/admin/samples',
  operationId: 'listSamples',
  tag: 'Console',
  summary: 'The queues and the events, over time',
  description: 'A worker takes a sample every ten seconds; they are kept for 48 hours.',
  access: { admin: 'viewer' },
  readsReplica: true,
  query: samplesQuery,
  answers: [
    {
      status: 200,
      description: 'Oldest first. Where no worker ran, samples are missing.',
      schema: sampleList,
      example: {
        data: [
          {
            at: '2026-11-22T10:00:00.000Z',
            queues: [queueStateExample],
            events: { applied: 120, stale: 2, ignored: 1, quarantined: 0, failed: 0 },
          },
        ],
        step_seconds: 10,
      },
    },
  ],
  errors: [],
  handle: async ({ reader, clock }, { query }) => {
    const window = sampleWindow(query, clock());
    const samples = await readSamples(reader, window);
    return {
      body: {
        data: samples.map((sample) => ({ ...sample, at: toTimestamp(sample.at) })),
        step_seconds: window.stepSeconds,
      },
    };
  },
});
