import type { SoldSubscriptionOut } from '@billing/domain';
import { Group } from '@mantine/core';
import { useList } from '../../api/reads.ts';
import { CopyableId } from '../../parts/copyable-id.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { Filters, useFilters } from '../../parts/filters.tsx';
import type { Filter } from '../../parts/filters.tsx';
import { Lines } from '../../parts/lines.tsx';
import { FoundLink } from '../../parts/links.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';
import { CsvButton } from './csv-button.tsx';
import { Owner } from './owner.tsx';
import type { CsvColumn } from './to-csv.ts';

const statuses = [
  'active',
  'trialing',
  'past_due',
  'unpaid',
  'paused',
  'incomplete',
  'incomplete_expired',
  'canceled',
];

const shared: readonly Filter[] = [
  { name: 'project_id', label: 'Project' },
  { name: 'user_id', label: 'User' },
  { name: 'product_id', label: 'Product' },
  { name: 'stripe_customer_id', label: 'Customer' },
];

type Item = SoldSubscriptionOut['items'][number];
const soldAs = (items: readonly Pick<Item, 'product_id' | 'stripe_price_id' | 'quantity'>[]): string =>
  items.map((item) => `${item.product_id ?? item.stripe_price_id} × ${item.quantity}`).join(', ') || '–';

const endOf = (row: SoldSubscriptionOut): string | null =>
  row.items
    .map((item) => item.current_period_end)
    .filter((end) => end !== null)
    .toSorted()[0] ?? null;

/** Until when it is paid, and what ends it. */
function PaidUntil({ of }: { of: SoldSubscriptionOut }) {
  const ends = of.ended_at ?? of.cancel_at;
  return (
    <Lines of={<Time at={endOf(of)} />}>
      {of.cancel_at_period_end && of.ended_at === null ? 'ends with the period' : null}
      {!of.cancel_at_period_end && ends !== null ? (
        <>
          {of.ended_at === null ? 'ends' : 'ended'} <Time at={ends} />
        </>
      ) : null}
    </Lines>
  );
}

const columns: readonly Column<SoldSubscriptionOut>[] = [
  {
    name: 'Subscription and customer',
    cell: ({ subscription_id: id, stripe_customer_id: customerId }) => (
      <Lines of={<FoundLink id={id} />}>
        <CopyableId id={customerId} />
      </Lines>
    ),
  },
  { name: 'State', cell: ({ status }) => <Status of={status ?? 'unknown'} /> },
  { name: 'User and project', cell: (row) => <Owner of={row} /> },
  {
    name: 'Sold as, since',
    cell: ({ items, started_at: at }) => (
      <Lines of={<span className="value">{soldAs(items)}</span>}>
        <Time at={at} />
      </Lines>
    ),
  },
  { name: 'Paid until', cell: (row) => <PaidUntil of={row} /> },
];

const csv: readonly CsvColumn<SoldSubscriptionOut>[] = [
  ['subscription_id', (row) => row.subscription_id],
  ['status', (row) => row.status],
  ['project_id', (row) => row.project_id],
  ['user_id', (row) => row.user_id],
  ['owner_source', (row) => row.owner_source],
  ['stripe_customer_id', (row) => row.stripe_customer_id],
  ['items', (row) => soldAs(row.items)],
  ['current_period_end', endOf],
  ['cancel_at_period_end', (row) => String(row.cancel_at_period_end)],
  ['cancel_at', (row) => row.cancel_at],
  ['ended_at', (row) => row.ended_at],
  ['trial_end', (row) => row.trial_end],
  ['started_at', (row) => row.started_at],
];

export function Subscriptions() {
  const search = useFilters();
  const filters = [{ name: 'status', label: 'State', options: statuses }, ...shared];
  const query = Object.fromEntries(filters.map(({ name }) => [name, search[name]]));
  const path = '/api/v1/admin/subscriptions';
  const list = useList<SoldSubscriptionOut>(path, { query });
  return (
    <>
      <Group justify="space-between" align="flex-end">
        <Filters of={filters} />
        <CsvButton name="subscriptions" path={path} query={query} columns={csv} />
      </Group>
      <ListTable
        name="Subscriptions"
        list={list}
        columns={columns}
        keyOf={(row) => `${row.subscription_id} ${row.project_id}`}
        empty="No subscription is like this."
      />
    </>
  );
}
