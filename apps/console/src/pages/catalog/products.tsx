import { Group } from '@mantine/core';
import type { FeatureOut, ProductOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import { useList, useWholeList } from '../../api/reads.ts';
import { ActionButton } from '../../parts/action.tsx';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { Lines } from '../../parts/lines.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Section } from '../../parts/page.tsx';
import { Failure } from '../../parts/states.tsx';
import { Status } from '../../parts/status.tsx';
import { quantity } from '../../words/money.ts';
import { archiveProduct, changeProduct, createProduct } from './product-actions.ts';

function planOf({ group, rank, is_default: isDefault }: ProductOut): string {
  const plan = group === null ? [] : [`${group}, rank ${rank ?? 'none'}`];
  return [...plan, ...(isDefault ? ['default'] : [])].join(', ') || '–';
}

/** What it gives of each feature, in short. */
function givesOf({ feature_codes: codes, features }: ProductOut): string {
  const settings = new Map(features.map((one) => [one.feature_code, one]));
  const muchOf = (code: string): string => {
    const setting = settings.get(code);
    if (setting === undefined) return code;
    const much = quantity(setting.limit === undefined ? setting.allowance : setting.limit);
    return `${code} ${much}${setting.per_unit ? ' a piece' : ''}`;
  };
  return codes.map(muchOf).join(', ') || 'nothing';
}

export function Products({ projectId }: { projectId: string }) {
  const features = useWholeList<FeatureOut>(pathOf`/api/v1/admin/projects/${projectId}/features`);
  // Without them a form would not know which settings a code takes.
  const described = features.data;
  const list = useList<ProductOut>(pathOf`/api/v1/admin/projects/${projectId}/products`);
  return (
    <Section
      title="Products"
      actions={
        described === undefined ? null : (
          <ActionButton action={createProduct(projectId, described)} variant="filled" />
        )
      }
    >
      {features.error === null ? null : (
        <Failure error={features.error} retry={() => void features.refetch()} />
      )}
      <ListTable
        name="Products"
        list={list}
        keyOf={({ product_id: id }) => id}
        empty="There is no product yet."
        columns={[
          {
            name: 'Id, at Stripe',
            cell: ({ product_id: id, stripe_product_id: stripeId }) => (
              <Lines of={<CopyableId id={id} />}>
                {stripeId === null ? null : <CopyableId id={stripeId} />}
              </Lines>
            ),
          },
          { name: 'Name', cell: ({ name }) => <span className="value">{name}</span> },
          { name: 'Gives', cell: (product) => <span className="value">{givesOf(product)}</span> },
          { name: 'Plan', cell: planOf },
          {
            name: 'State',
            cell: ({ is_archived: isArchived }) => <Status of={isArchived ? 'archived' : 'active'} />,
          },
          {
            name: 'Actions',
            cell: (product) => (
              <Group gap="xs" wrap="nowrap">
                {described === undefined ? null : (
                  <ActionButton
                    action={changeProduct(product, described)}
                    label={`Change ${product.product_id}`}
                  />
                )}
                <ActionButton
                  action={archiveProduct(product)}
                  label={`${product.is_archived ? 'Bring back' : 'Archive'} ${product.product_id}`}
                />
              </Group>
            ),
          },
        ]}
      />
    </Section>
  );
}
