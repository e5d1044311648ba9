import { Tabs } from '@mantine/core';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useFilters } from '../../parts/filters.tsx';
import { Page } from '../../parts/page.tsx';
import { ProjectNav } from '../projects/project-nav.tsx';
import { Features } from './features.tsx';
import { Prices } from './prices.tsx';
import { Products } from './products.tsx';

const tabs = [
  ['products', 'Products'],
  ['prices', 'Prices'],
  ['features', 'Features'],
] as const;

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
      <Tabs
        value={tab}
        onChange={(next) => void navigate({ to: '.', search: { tab: next ?? 'products' }, replace: true })}
        keepMounted={false}
      >
        <Tabs.List mb="sm">
          {tabs.map(([value, label]) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="products">
          <Products projectId={projectId} />
        </Tabs.Panel>
        <Tabs.Panel value="prices">
          <Prices projectId={projectId} />
        </Tabs.Panel>
        <Tabs.Panel value="features">
          <Features projectId={projectId} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
