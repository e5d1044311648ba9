import { Group } from '@mantine/core';
import type { PriceOut, ProductOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import { useList, useWholeList } from '../../api/reads.ts';
import { ActionButton } from '../../parts/action.tsx';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { Lines } from '../../parts/lines.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Section } from '../../parts/page.tsx';
import { Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';
import { money } from '../../words/money.ts';
import { archivePrice, changePrice, createPrice, deletePrice } from './price-actions.ts';

const everyOf = ({ interval, interval_count: count }: PriceOut): string => {
  if (interval === 'one_time') return 'once';
  return count === 1 ? `every ${interval}` : `every ${count} ${interval}s`;
};

export function Prices({ projectId }: { projectId: string }) {
  const list = useList<PriceOut>(pathOf`/api/v1/admin/projects/${projectId}/prices`);
  const offered = useWholeList<ProductOut>(pathOf`/api/v1/admin/projects/${projectId}/products`);
  const products = (offered.data ?? []).map(({ product_id: id }) => id);
  return (
    <Section
      title="Prices"
      actions={<ActionButton action={createPrice(projectId, products)} variant="filled" />}
    >
      <ListTable
        name="Prices"
        list={list}
        keyOf={({ price_id: id }) => id}
        empty="No price is mapped yet."
        columns={[
          {
            name: 'Id, at Stripe',
            cell: ({ price_id: id, stripe_price_id: stripeId }) => (
              <Lines of={<CopyableId id={id} />}>
                {stripeId === id ? null : <CopyableId id={stripeId} />}
              </Lines>
            ),
          },
          { name: 'Sold as', cell: ({ product_id: id }) => <CopyableId id={id} /> },
          {
            name: 'Amount',
            cell: (price) => <Lines of={money(price.amount, price.currency)}>{everyOf(price)}</Lines>,
            isNumber: true,
          },
          {
            name: 'State, as at Stripe',
            cell: ({ is_archived: isArchived, verified_at: at }) => (
              <Lines of={<Status of={isArchived ? 'archived' : 'active'} />}>
                <Time at={at} none="not seen there" />
              </Lines>
            ),
          },
          {
            name: 'Actions',
            cell: (price) => (
              <Group gap="xs">
                <ActionButton action={changePrice(price, products)} label={`Change ${price.price_id}`} />
                <ActionButton
                  action={archivePrice(price)}
                  label={`${price.is_archived ? 'Bring back' : 'Archive'} ${price.price_id}`}
                />
                <ActionButton action={deletePrice(price)} label={`Delete ${price.price_id}`} />
              </Group>
            ),
          },
        ]}
      />
    </Section>
  );
}
