import { Stack, Text } from '@mantine/core';
import type { QuarantineOut } from '@billing/domain';
import { useSession } from '../../app/session.tsx';
import { useList } from '../../api/reads.ts';
import { ActionButton } from '../../parts/action.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { Filters, useFilters } from '../../parts/filters.tsx';
import { EventLink, FoundLink } from '../../parts/links.tsx';
import { Lines } from '../../parts/lines.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Page } from '../../parts/page.tsx';
import { inWords } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';
import { remedyOf } from './remedies.ts';
import { byAwaited } from './waiting.ts';
import type { Waiting } from './waiting.ts';

const reasons = [
  'unknown_customer',
  'unknown_project',
  'unknown_price',
  'price_of_other_project',
  'buyer_hint',
];

function Remedy({ of }: { of: Waiting }) {
  const { session } = useSession();
  const action = remedyOf(of, session.project_id);
  return action === null ? null : <ActionButton action={action} label={`${action.label} ${of.key}`} />;
}

/** An event, or an object that no event is about, with what it is about, and whose that is as far as Stripe says. */
function One({ of }: { of: QuarantineOut }) {
  const { event_id: eventId, type, object_id: objectId, customer_id: customerId, awaits } = of;
  return (
    <Stack gap={6} py={6}>
      {eventId === null ? null : <EventLink eventId={eventId} />}
      {type === null ? null : (
        <Text size="sm" c="dimmed">
          {type}
        </Text>
      )}
      {objectId === null ? null : <FoundLink id={objectId} />}
      {customerId === null || customerId === awaits ? null : <FoundLink id={customerId} />}
    </Stack>
  );
}

const keyOf = ({ event_id: eventId, object_id: objectId }: QuarantineOut): string => `${eventId} ${objectId}`;

/** The newest of what waits; the others on demand. */
function WhatWaits({ of: [first, ...others] }: { of: readonly QuarantineOut[] }) {
  if (first === undefined) return null;
  return (
    <>
      <One of={first} />
      {others.length === 0 ? null : (
        <details>
          <summary>and {others.length.toLocaleString()} more</summary>
          {others.map((one) => (
            <One key={keyOf(one)} of={one} />
          ))}
        </details>
      )}
    </>
  );
}

const columns: readonly Column<Waiting>[] = [
  {
    name: 'Awaits',
    cell: ({ awaits, objectId, reasons: why }) => (
      <Lines of={<FoundLink id={awaits ?? objectId} />}>{why.map(inWords).join(', ')}</Lines>
    ),
  },
  { name: 'Waiting', cell: ({ rows }) => rows.length.toLocaleString(), isNumber: true },
  { name: 'Since', cell: ({ since }) => <Time at={since} withDistance /> },
  { name: 'What waits', cell: ({ rows }) => <WhatWaits of={rows} /> },
  { name: 'Actions', cell: (one) => <Remedy of={one} /> },
];

/** What waits for a mapping, a price, or a word on who the buyer is. */
export function Quarantine() {
  const { reason } = useFilters();
  const list = useList<QuarantineOut>('/api/v1/admin/quarantine', { query: { reason }, limit: 100 });
  const waiting = list.rows === undefined ? undefined : byAwaited(list.rows);
  return (
    <Page title="Quarantine" words="What was paid, and cannot be given to anybody yet, by what it waits for.">
      <Text size="sm">
        Mapping a customer or a price releases all that waits for it; the difference is shown first.
      </Text>
      <Filters of={[{ name: 'reason', label: 'Why', options: reasons }]} />
      <ListTable
        name="Quarantine"
        list={{ ...list, rows: waiting }}
        columns={columns}
        keyOf={({ key }) => key}
        empty="Nothing waits."
      />
    </Page>
  );
}
