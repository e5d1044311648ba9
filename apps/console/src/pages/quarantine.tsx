import { Text } from '@mantine/core';
import type { QuarantineOut } from '@billing/domain';
import { useList } from '../api/reads.ts';
import { pathOf } from '../api/address.ts';
import { ActionButton } from '../parts/action.tsx';
import type { Action } from '../parts/action-type.ts';
import type { Column } from '../parts/data-table.tsx';
import { textOf } from '../parts/values.ts';
import { Filters, useFilters } from '../parts/filters.tsx';
import { EventLink, FoundLink } from '../parts/links.tsx';
import { Lines } from '../parts/lines.tsx';
import { ListTable } from '../parts/list.tsx';
import { Page } from '../parts/page.tsx';
import { inWords } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';

const reasons = [
  'unknown_customer',
  'unknown_project',
  'unknown_price',
  'price_of_other_project',
  'buyer_hint',
];

const inProject = { kind: 'text', name: 'project_id', label: 'Project', isRequired: true } as const;

const mapCustomer = (customerId: string): Action => ({
  label: 'Map',
  title: `Whose is ${customerId}?`,
  words: 'Says which user of a project the customer is, and releases what waits for it.',
  least: 'operator',
  isTried: true,
  fields: [inProject, { kind: 'text', name: 'user_id', label: 'User', isRequired: true }],
  request: (values) => ({
    method: 'POST',
    path: pathOf`/api/v1/admin/projects/${textOf(values, 'project_id')}/customers`,
    body: { user_id: textOf(values, 'user_id'), stripe_customer_id: customerId },
  }),
});

const mapPrice = (priceId: string): Action => ({
  label: 'Map',
  title: `As what is ${priceId} sold?`,
  words: 'Says as which product the price is sold, and releases what waits for it.',
  least: 'admin',
  isTried: true,
  fields: [inProject, { kind: 'text', name: 'product_id', label: 'Sold as the product', isRequired: true }],
  request: (values) => ({
    method: 'POST',
    path: pathOf`/api/v1/admin/projects/${textOf(values, 'project_id')}/prices`,
    body: { stripe_price_id: priceId, product_id: textOf(values, 'product_id') },
  }),
});

const assignable = [
  ['sub_', 'subscription_id'],
  ['pi_', 'payment_intent_id'],
  ['cs_', 'session_id'],
] as const;

function assignObject(objectId: string): Action | null {
  const field = assignable.find(([prefix]) => objectId.startsWith(prefix))?.[1];
  if (field === undefined) return null;
  return {
    label: 'Assign',
    title: `Whose is ${objectId}?`,
    words: 'Says which user it belongs to, for this object alone.',
    least: 'operator',
    isTried: true,
    needsReason: true,
    fields: [inProject, { kind: 'text', name: 'user_id', label: 'User', isRequired: true }],
    request: (values) => ({
      method: 'POST',
      path: '/api/v1/admin/assign',
      body: {
        [field]: objectId,
        project_id: textOf(values, 'project_id'),
        user_id: textOf(values, 'user_id'),
      },
    }),
  };
}

/** What releases it, most general first. */
function remedyOf({ awaits, object_id: objectId }: QuarantineOut): Action | null {
  if (awaits?.startsWith('cus_') === true) return mapCustomer(awaits);
  if (awaits?.startsWith('price_') === true) return mapPrice(awaits);
  return objectId === null ? null : assignObject(objectId);
}

function Remedy({ of }: { of: QuarantineOut }) {
  const action = remedyOf(of);
  return action === null ? null : (
    <ActionButton action={action} label={`${action.label} ${of.awaits ?? of.object_id}`} />
  );
}

const columns: readonly Column<QuarantineOut>[] = [
  { name: 'Since', cell: ({ received_at: at }) => <Time at={at} withDistance /> },
  { name: 'Why', cell: ({ reason }) => (reason === null ? '–' : inWords(reason)) },
  { name: 'Awaits', cell: ({ awaits }) => <FoundLink id={awaits} /> },
  {
    name: 'About, of the customer',
    cell: ({ object_id: id, customer_id: customerId }) => (
      <Lines of={<FoundLink id={id} />}>{customerId === null ? null : <FoundLink id={customerId} />}</Lines>
    ),
  },
  {
    name: 'Event',
    cell: ({ event_id: id, type }) => <Lines of={<EventLink eventId={id} />}>{type}</Lines>,
  },
  { name: 'Actions', cell: (row) => <Remedy of={row} /> },
];

/** What waits for a mapping, a price, or a word on who the buyer is. */
export function Quarantine() {
  const { reason } = useFilters();
  const list = useList<QuarantineOut>('/api/v1/admin/quarantine', { query: { reason } });
  return (
    <Page title="Quarantine" words="What was paid, and cannot be given to anybody yet.">
      <Text size="sm">
        Mapping a customer or a price releases all that waits for it; the difference is shown first.
      </Text>
      <Filters of={[{ name: 'reason', label: 'Why', options: reasons }]} />
      <ListTable
        name="Quarantine"
        list={list}
        columns={columns}
        keyOf={(row) => `${row.event_id} ${row.object_id} ${row.awaits}`}
        empty="Nothing waits."
      />
    </Page>
  );
}
