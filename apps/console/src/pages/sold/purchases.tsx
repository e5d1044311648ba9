import type { SoldPurchaseOut } from '@billing/domain';
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
import { money } from '../../words/money.ts';
import { CsvButton } from './csv-button.tsx';
import { Owner } from './owner.tsx';
import type { CsvColumn } from './to-csv.ts';

const filters: readonly Filter[] = [
  { name: 'status', label: 'State', options: ['paid', 'pending', 'failed'] },
  { name: 'project_id', label: 'Project' },
  { name: 'user_id', label: 'User' },
  { name: 'product_id', label: 'Product' },
  { name: 'stripe_customer_id', label: 'Customer' },
];

const soldAs = ({ items }: SoldPurchaseOut): string =>
  items.map((item) => `${item.product_id ?? item.stripe_price_id} × ${item.quantity}`).join(', ') || '–';

const columns: readonly Column<SoldPurchaseOut>[] = [
  {
    name: 'Purchase and customer',
    cell: ({ purchase_id: id, stripe_customer_id: customerId }) => (
      <Lines of={<FoundLink id={id} />}>
        <CopyableId id={customerId} />
      </Lines>
    ),
  },
  {
    name: 'State, dispute',
    cell: ({ status, dispute_status: dispute }) => (
      <Lines of={<Status of={status} />}>
        {dispute === null ? null : (
          <>
            dispute <Status of={dispute} />
          </>
        )}
      </Lines>
    ),
  },
  { name: 'User and project', cell: (row) => <Owner of={row} /> },
  { name: 'Sold as', cell: (row) => <span className="value">{soldAs(row)}</span> },
  {
    name: 'Amount',
    cell: ({ amount, amount_refunded: refunded, currency }) => (
      <Lines of={money(amount, currency)}>
        {refunded === 0 ? null : `${money(refunded, currency)} refunded`}
      </Lines>
    ),
    isNumber: true,
  },
  { name: 'Paid', cell: ({ paid_at: at }) => <Time at={at} /> },
];

const csv: readonly CsvColumn<SoldPurchaseOut>[] = [
  ['purchase_id', (row) => row.purchase_id],
  ['status', (row) => row.status],
  ['project_id', (row) => row.project_id],
  ['user_id', (row) => row.user_id],
  ['owner_source', (row) => row.owner_source],
  ['stripe_customer_id', (row) => row.stripe_customer_id],
  ['items', soldAs],
  ['amount', (row) => (row.amount === null ? null : String(row.amount))],
  ['amount_refunded', (row) => String(row.amount_refunded)],
  ['currency', (row) => row.currency],
  ['paid_at', (row) => row.paid_at],
  ['dispute_status', (row) => row.dispute_status],
];

export function Purchases() {
  const search = useFilters();
  const query = Object.fromEntries(filters.map(({ name }) => [name, search[name]]));
  const path = '/api/v1/admin/purchases';
  const list = useList<SoldPurchaseOut>(path, { query });
  return (
    <>
      <Group justify="space-between" align="flex-end">
        <Filters of={filters} />
        <CsvButton name="purchases" path={path} query={query} columns={csv} />
      </Group>
      <ListTable
        name="Purchases"
        list={list}
        columns={columns}
        keyOf={(row) => `${row.purchase_id} ${row.project_id}`}
        empty="No purchase is like this."
      />
    </>
  );
}
