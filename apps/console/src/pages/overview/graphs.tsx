import type { SampleListOut, SampleOut } from '@billing/domain';
import { useState } from 'react';
import { useRead } from '../../api/reads.ts';
import { Graph } from '../../parts/graph.tsx';
import { Loaded } from '../../parts/states.tsx';

const dayMs = 86_400_000;
const hour = new Intl.DateTimeFormat(undefined, { weekday: 'short', hour: '2-digit', minute: '2-digit' });
const mostPoints = 144;

/** The last 24 hours. `from` stays while the page is open, so that all who show it share one read. */
function useSamples() {
  const [from] = useState(() => {
    const wholeMinute = Math.floor(Date.now() / 60_000) * 60_000;
    return new Date(wholeMinute - dayMs).toISOString();
  });
  return useRead<SampleListOut>('/api/v1/admin/samples', { query: { from } });
}

/** Every n-th sample in the order of time: a graph has no room for more. */
function thinned(samples: readonly SampleOut[]): SampleOut[] {
  const step = Math.max(1, Math.ceil(samples.length / mostPoints));
  return samples.filter((_, index) => index % step === 0);
}

const colours = ['blue', 'orange', 'teal', 'grape', 'red', 'cyan'];

export function QueueGraph() {
  return (
    <Loaded read={useSamples()}>
      {({ data }) => {
        const names = [...new Set(data.flatMap(({ queues }) => queues.map(({ name }) => name)))];
        return (
          <Graph
            name="Jobs that wait or run, by queue"
            points={thinned(data).map((sample) => ({
              at: hour.format(new Date(sample.at)),
              ...Object.fromEntries(sample.queues.map((one) => [one.name, one.waiting + one.active])),
            }))}
            series={names.map((name, index) => ({
              name,
              label: name,
              colour: colours[index % colours.length] ?? 'blue',
            }))}
          />
        );
      }}
    </Loaded>
  );
}

const outcomes = [
  { name: 'applied', label: 'Applied', colour: 'teal' },
  { name: 'stale', label: 'Stale', colour: 'blue' },
  { name: 'ignored', label: 'Ignored', colour: 'gray' },
  { name: 'quarantined', label: 'Quarantined', colour: 'orange' },
  { name: 'failed', label: 'Failed', colour: 'red' },
];

export function EventGraph() {
  return (
    <Loaded read={useSamples()}>
      {({ data, step_seconds: step }) => (
        <Graph
          name="Events a minute, by outcome"
          series={outcomes}
          points={thinned(data).map(({ at, events }) => ({
            at: hour.format(new Date(at)),
            ...Object.fromEntries(
              Object.entries(events).map(([name, count]) => [name, Math.round((count / step) * 600) / 10]),
            ),
          }))}
        />
      )}
    </Loaded>
  );
}
