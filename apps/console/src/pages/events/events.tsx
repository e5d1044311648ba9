import type { EventOut } from '@billing/domain';
import { useList } from '../../api/reads.ts';
import { ActionButton } from '../../parts/action.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { Filters, useFilters } from '../../parts/filters.tsx';
import type { Filter } from '../../parts/filters.tsx';
import { EventLink, FoundLink } from '../../parts/links.tsx';
import { Lines } from '../../parts/lines.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Page } from '../../parts/page.tsx';
import { inWords, Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';
import { replayMany } from '../runs/run-actions.tsx';

const columns: readonly Column<EventOut>[] = [
  { name: 'Received', cell: ({ received_at: at }) => <Time at={at} /> },
  {
    name: 'Event, type',
    cell: ({ event_id: id, type }) => <Lines of={<EventLink eventId={id} />}>{type}</Lines>,
  },
  { name: 'About', cell: ({ object_id: id }) => <FoundLink id={id} /> },
  {
    name: 'Outcome',
    cell: ({ status, reason }) => (
      <Lines of={<Status of={status} />}>{reason === null ? null : inWords(reason)}</Lines>
    ),
  },
  { name: 'Tries', cell: ({ attempts }) => attempts, isNumber: true },
];

const filters: readonly Filter[] = [
  { name: 'status', label: 'Outcome', options: ['applied', 'stale', 'ignored', 'quarantined', 'failed'] },
  { name: 'type', label: 'Type' },
  { name: 'object_id', label: 'Object of Stripe' },
  { name: 'trace_id', label: 'Trace' },
];

/** The ledger: each of Stripe's events once, with what became of it. */
export function Events() {
  const { status, type, object_id: objectId, trace_id: traceId } = useFilters();
  const list = useList<EventOut>('/api/v1/admin/events', {
    query: { status, type, object_id: objectId, trace_id: traceId },
  });
  return (
    <Page
      title="Events"
      words="Each of Stripe’s events, with what became of it."
      actions={<ActionButton action={replayMany(objectId)} />}
    >
      <Filters of={filters} />
      <ListTable
        name="Events"
        list={list}
        columns={columns}
        keyOf={({ event_id: id }) => id}
        empty="No event is like this."
      />
    </Page>
  );
}
