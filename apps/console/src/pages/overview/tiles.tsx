import { Text } from '@mantine/core';
import type { OverviewOut } from '@billing/domain';
import type { ReactNode } from 'react';
import { spanOf } from '../../parts/time.tsx';
import { CardLink } from '../../parts/router-links.tsx';

type Place = '/events' | '/quarantine' | '/runs' | '/queues' | '/projects';
type BodyProps = { name: string; children: ReactNode; more?: ReactNode };
type TileProps = BodyProps & { to: Place; search?: Record<string, string> };

function Body({ name, children, more }: BodyProps) {
  return (
    <>
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text size="xl" fw={600}>
        {children}
      </Text>
      {more === undefined ? null : <Text size="sm">{more}</Text>}
    </>
  );
}

const Tile = ({ to, search = {}, ...body }: TileProps) => (
  <CardLink withBorder padding="sm" to={to} search={search} className="tile">
    <Body {...body} />
  </CardLink>
);

/** Leads to the run that found it. */
function DriftTile({ of }: { of: OverviewOut['drift'] }) {
  const name = 'Drift of the last reconcile';
  if (of === null)
    return (
      <Tile name={name} to="/runs" search={{ kind: 'reconcile' }}>
        none has run
      </Tile>
    );
  return (
    <CardLink withBorder padding="sm" to="/runs/$runId" params={{ runId: of.run_id }} className="tile">
      <Body name={name}>{of.differences.toLocaleString()}</Body>
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
        to="/queues"
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
      <DriftTile of={drift} />
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
