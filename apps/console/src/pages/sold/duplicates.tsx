import type { DuplicateOut } from '@billing/domain';
import { Text } from '@mantine/core';
import { useList } from '../../api/reads.ts';
import type { Column } from '../../parts/data-table.tsx';
import { Filters, useFilters } from '../../parts/filters.tsx';
import { FoundLink } from '../../parts/links.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';
import { Owner } from './owner.tsx';

const columns: readonly Column<DuplicateOut>[] = [
  { name: 'User and project', cell: (row) => <Owner of={row} /> },
  { name: 'Subscription', cell: ({ subscription_id: id }) => <FoundLink id={id} /> },
  { name: 'State', cell: ({ status }) => <Status of={status} /> },
  {
    name: 'Shares',
    cell: ({ group, stripe_price_id: price }) => (group === null ? (price ?? '–') : `the group ${group}`),
  },
  { name: 'Beside', cell: ({ duplicate_of: id }) => <FoundLink id={id} /> },
  { name: 'Since', cell: ({ created: at }) => <Time at={at} /> },
];

/** What a user pays twice. */
export function Duplicates() {
  const { project_id: projectId } = useFilters();
  const list = useList<DuplicateOut>('/api/v1/admin/duplicates', { query: { project_id: projectId } });
  return (
    <>
      <Text size="sm">
        Live subscriptions of one user that share a price or a group of plans. None is cancelled by itself:
        cancel at Stripe what the user does not want.
      </Text>
      <Filters of={[{ name: 'project_id', label: 'Project' }]} />
      <ListTable
        name="Had twice"
        list={list}
        columns={columns}
        keyOf={(row) => `${row.project_id} ${row.subscription_id} ${row.group} ${row.stripe_price_id}`}
        empty="Nobody has anything twice."
      />
    </>
  );
}
