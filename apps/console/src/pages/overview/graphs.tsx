import type { SampleListOut, SampleOut } from '@billing/domain';
import { useState } from 'react';
import { useRead } from '../../api/reads.ts';
import { Graph } from '../../parts/graph.tsx';
import { Loaded } from '../../parts/states.tsx';
import { eventPoints, queuePoints } from './points.ts';

const dayMs = 86_400_000;
const hour = new Intl.DateTimeFormat(undefined, { weekday: 'short', hour: '2-digit', minute: '2-digit' });
const label = (at: number): string => hour.format(new Date(at));

/** The last 24 hours. `from` stays while the page is open, so that all who show it share one read. */
function useSamples() {
  const [from] = useState(() => {
    const wholeMinute = Math.floor(Date.now() / 60_000) * 60_000;
    return new Date(wholeMinute - dayMs).toISOString();
  });
  return useRead<SampleListOut>('/api/v1/admin/samples', { query: { from } });
}

const colours = ['blue', 'orange', 'teal', 'grape', 'red', 'cyan'];
type QueueValue = (queue: SampleOut['queues'][number]) => number;

/** A line for each queue. */
function OfQueues({ name, of: { data, step_seconds: stepSeconds }, valueOf }: QueueGraphProps) {
  const names = [...new Set(data.flatMap(({ queues }) => queues.map((queue) => queue.name)))];
  return (
    <Graph
      name={name}
      points={queuePoints(data, { stepSeconds, label }, valueOf)}
      series={names.map((queue, index) => ({
        name: queue,
        label: queue,
        colour: colours[index % colours.length] ?? 'blue',
      }))}
    />
  );
}
type QueueGraphProps = { name: string; of: SampleListOut; valueOf: QueueValue };

/** How many jobs there were, and how old the oldest of them. */
export function QueueGraphs() {
  return (
    <Loaded read={useSamples()}>
      {(samples) => (
        <>
          <OfQueues
            name="Jobs that wait or run, by queue"
            of={samples}
            valueOf={({ waiting, active }) => waiting + active}
          />
          <OfQueues
            name="Age of the oldest job in seconds, by queue"
            of={samples}
            valueOf={({ oldest_seconds: age }) => Math.round(age * 10) / 10}
          />
        </>
      )}
    </Loaded>
  );
}

const outcomes = [
  { name: 'applied', label: 'Applied', colour: 'teal' },
  { name: 'stale', label: 'Stale', colour: 'blue' },
  { name: 'ignored', label: 'Ignored', colour: 'gray' },
  { name: 'quarantined', label: 'Quarantined', colour: 'orange' },
  { name: 'failed', label: 'Failed', colour: 'red' },
] as const;

export function EventGraph() {
  return (
    <Loaded read={useSamples()}>
      {({ data, step_seconds: stepSeconds }) => (
        <Graph
          name="Events a minute, by outcome"
          series={outcomes}
          points={eventPoints(
            data,
            { stepSeconds, label },
            outcomes.map(({ name }) => name),
          )}
        />
      )}
    </Loaded>
  );
}
