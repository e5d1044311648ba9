import { Text } from '@mantine/core';
import type { OverviewOut } from '@billing/domain';
import type { ReactNode } from 'react';
import { spanOf } from '../../parts/time.tsx';
import { CardLink } from '../../parts/router-links.tsx';

type Place = '/events' | '/quarantine' | '/runs' | '/queues' | '/projects' | '/access';
type TileProps = {
  name: string;
  to: Place;
  search?: Record<string, string>;
  children: ReactNode;
  more?: ReactNode;
};

function Tile({ name, to, search = {}, children, more }: TileProps) {
  return (
    <CardLink withBorder padding="sm" to={to} search={search} className="tile">
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text size="xl" fw={600}>
        {children}
      </Text>
      {more === undefined ? null : <Text size="sm">{more}</Text>}
    </CardLink>
  );
}

const many = (count: number | null): string => (count === null ? 'over 10,000' : count.toLocaleString());
const sum = (counts: readonly number[]): number => counts.reduce((all, one) => all + one, 0);

function ofQueues(queues: OverviewOut['queues']): { depth: string; age: string } {
  if (queues === null) return { depth: 'unreachable', age: 'Redis does not answer' };
  const oldest = Math.max(0, ...queues.map(({ oldest_seconds: age }) => age));
  return {
    depth: sum(queues.map(({ waiting, active }) => waiting + active)).toLocaleString(),
    age: `oldest ${spanOf(oldest)}`,
  };
}

/** The state of each part; each leads to its page. */
export function Tiles({ of }: { of: OverviewOut }) {
  const { processes, events, stripe_reads: reads, last_sweep: sweep, drift, webhooks } = of;
  const { depth, age } = ofQueues(of.queues);
  return (
    <div className="tiles">
      <Tile
        name="Processes"
        to="/access"
        more={processes.other === 0 ? undefined : `${processes.other} older`}
      >
        {processes.api} API, {processes.worker} worker
      </Tile>
      <Tile name="Jobs in the queues" to="/queues" more={age}>
        {depth}
      </Tile>
      <Tile name="Failed events" to="/events" search={{ status: 'failed' }}>
        {many(events.failed)}
      </Tile>
      <Tile name="Quarantined events" to="/quarantine">
        {many(events.quarantined)}
      </Tile>
      <Tile
        name="Stripe reads left"
        to="/runs"
        more={reads === null ? undefined : `${reads.allowed_per_second} of ${reads.per_second} a second`}
      >
        {reads === null ? 'unknown' : Math.floor(reads.available)}
      </Tile>
      <Tile name="Last sweep" to="/events">
        {sweep.age_seconds === null ? 'none yet' : `${spanOf(sweep.age_seconds)} ago`}
      </Tile>
      <Tile name="Drift of the last reconcile" to="/runs" search={{ kind: 'reconcile' }}>
        {drift === null ? 'none has run' : drift.differences.toLocaleString()}
      </Tile>
      <Tile
        name="Webhooks to products"
        to="/projects"
        more={
          webhooks.endpoints_disabled === 0 ? undefined : `${webhooks.endpoints_disabled} endpoints disabled`
        }
      >
        {webhooks.deliveries_due.toLocaleString()} due
      </Tile>
    </div>
  );
}
