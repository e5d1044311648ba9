import { Group, Text } from '@mantine/core';
import type { ExplanationOut, PriceOut, ProductOut } from '@billing/domain';
import type { ReactNode } from 'react';
import { pathOf } from '../../api/address.ts';
import { useWholeList } from '../../api/reads.ts';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { inWords } from '../../parts/status.tsx';
import { money, quantity } from '../../words/money.ts';
import { AnchorLink } from '../../parts/router-links.tsx';

type Props = { item: ExplanationOut; projectId: string; reason: ReactNode };

/** As what a price is sold, as far as the catalog says. */
function useSoldAs(
  projectId: string,
  { source, source_id: sourceId, stripe_price_id: priceId }: ExplanationOut,
) {
  const isWanted = priceId !== null || source === 'default';
  const prices = useWholeList<PriceOut>(pathOf`/api/v1/admin/projects/${projectId}/prices`, { isWanted });
  const products = useWholeList<ProductOut>(pathOf`/api/v1/admin/projects/${projectId}/products`, {
    isWanted,
  });
  const price = prices.data?.find((one) => one.stripe_price_id === priceId);
  const productId = source === 'default' ? sourceId : price?.product_id;
  return { price, product: products.data?.find((one) => one.product_id === productId) };
}

function termsOf({ amount, currency, interval, interval_count: count }: PriceOut): string {
  const every = interval === 'one_time' ? 'once' : `every ${count === 1 ? '' : `${count} `}${interval}`;
  return `${money(amount, currency)} ${every}`;
}

/** An item: its price, the product that the price is sold as, and what that gives. */
export function ExplainedItem({ item, projectId, reason }: Props) {
  const { price, product } = useSoldAs(projectId, item);
  return (
    <li>
      {item.stripe_price_id === null ? null : (
        <Group gap="xs">
          <CopyableId id={item.stripe_price_id} />
          <Text size="sm">
            × {item.quantity}
            {price === undefined ? '' : `, ${termsOf(price)}`}
          </Text>
        </Group>
      )}
      {product === undefined ? null : (
        <Text size="sm">
          sold as{' '}
          <AnchorLink to="/projects/$projectId/catalog" params={{ projectId }} size="sm">
            {product.name}
          </AnchorLink>
        </Text>
      )}
      {reason}
      {item.feature_codes.length === 0 ? (
        <Text size="sm">gives no feature</Text>
      ) : (
        <>
          <Text size="sm">gives</Text>
          <ul className="tree">
            {item.feature_codes.map((code) => (
              <li key={code}>
                <Text size="sm" span ff="monospace">
                  {code}
                </Text>
                <UsageWords item={item} code={code} />
              </li>
            ))}
          </ul>
        </>
      )}
    </li>
  );
}

/** How much of a limit or metered feature it gives, and why so much. */
function UsageWords({ item, code }: { item: ExplanationOut; code: string }) {
  const usage = item.usage?.find(({ feature_code: of }) => of === code);
  if (usage === undefined) return null;
  return (
    <Text size="sm" span c="dimmed">
      {' '}
      {quantity(usage.gives)} ({inWords(usage.why)}
      {usage.bucket === null ? '' : `, ${usage.bucket.period}`})
    </Text>
  );
}
