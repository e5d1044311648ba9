import { Tabs } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useFilters } from '../../parts/filters.tsx';
import { Page } from '../../parts/page.tsx';
import { Purchases } from './purchases.tsx';
import { Revenue } from './revenue.tsx';
import { Subscriptions } from './subscriptions.tsx';

const tabs = [
  ['subscriptions', 'Subscriptions'],
  ['purchases', 'Purchases'],
  ['revenue', 'Revenue'],
] as const;

/** What was sold. */
export function Sold() {
  const { tab = 'subscriptions', project_id: projectId = '' } = useFilters();
  const navigate = useNavigate();
  const shared = projectId === '' ? {} : { project_id: projectId };
  return (
    <Page title="Sold" words="Subscriptions and purchases, with filters; revenue by day.">
      <Tabs
        value={tab}
        onChange={(next) => void navigate({ to: '.', search: { ...shared, tab: next ?? 'subscriptions' } })}
        keepMounted={false}
      >
        <Tabs.List mb="sm">
          {tabs.map(([value, label]) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="subscriptions">
          <Subscriptions />
        </Tabs.Panel>
        <Tabs.Panel value="purchases">
          <Purchases />
        </Tabs.Panel>
        <Tabs.Panel value="revenue">
          <Revenue />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
