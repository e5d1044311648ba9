import { useNavigate, useParams } from '@tanstack/react-router';
import { useFilters } from '../../parts/filters.tsx';
import { Page } from '../../parts/page.tsx';
import { PageTabs } from '../../parts/tabs.tsx';
import { ProjectNav } from '../projects/project-nav.tsx';
import { Features } from './features.tsx';
import { Prices } from './prices.tsx';
import { Products } from './products.tsx';

/** What a project sells. */
export function Catalog() {
  const { projectId } = useParams({ from: '/projects/$projectId/catalog' });
  const { tab = 'products' } = useFilters();
  const navigate = useNavigate();
  return (
    <Page
      title={`Catalog of ${projectId}`}
      words="Features are what users may do; products give features; prices of Stripe sell products."
    >
      <ProjectNav projectId={projectId} />
      <PageTabs
        shown={tab}
        onChange={(next) => void navigate({ to: '.', search: { tab: next }, replace: true })}
        tabs={[
          ['products', 'Products', <Products key="products" projectId={projectId} />],
          ['prices', 'Prices', <Prices key="prices" projectId={projectId} />],
          ['features', 'Features', <Features key="features" projectId={projectId} />],
        ]}
      />
    </Page>
  );
}
