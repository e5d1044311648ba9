import { Group } from '@mantine/core';
import type { ProductOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import { useList } from '../../api/reads.ts';
import { ActionButton } from '../../parts/action.tsx';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Section } from '../../parts/page.tsx';
import { Status } from '../../parts/status.tsx';
import { archiveProduct, changeProduct, createProduct } from './product-actions.ts';

function planOf({ group, rank, is_default: isDefault }: ProductOut): string {
  const plan = group === null ? [] : [`${group}, rank ${rank ?? 'none'}`];
  return [...plan, ...(isDefault ? ['default'] : [])].join(', ') || '–';
}

export function Products({ projectId }: { projectId: string }) {
  const list = useList<ProductOut>(pathOf`/api/v1/admin/projects/${projectId}/products`);
  return (
    <Section title="Products" actions={<ActionButton action={createProduct(projectId)} variant="filled" />}>
      <ListTable
        name="Products"
        list={list}
        keyOf={({ product_id: id }) => id}
        empty="There is no product yet."
        columns={[
          { name: 'Id', cell: ({ product_id: id }) => <CopyableId id={id} /> },
          { name: 'Name', cell: ({ name }) => name },
          { name: 'Gives', cell: ({ feature_codes: codes }) => codes.join(', ') || 'nothing' },
          { name: 'Plan', cell: planOf },
          { name: 'Product of Stripe', cell: ({ stripe_product_id: id }) => <CopyableId id={id} /> },
          {
            name: 'State',
            cell: ({ is_archived: isArchived }) => <Status of={isArchived ? 'archived' : 'active'} />,
          },
          {
            name: 'Actions',
            cell: (product) => (
              <Group gap="xs" wrap="nowrap">
                <ActionButton action={changeProduct(product)} label={`Change ${product.product_id}`} />
                <ActionButton action={archiveProduct(product)} label={`Archive ${product.product_id}`} />
              </Group>
            ),
          },
        ]}
      />
    </Section>
  );
}
