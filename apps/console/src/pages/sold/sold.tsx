import { useNavigate } from '@tanstack/react-router';
import { useFilters } from '../../parts/filters.tsx';
import { Page } from '../../parts/page.tsx';
import { PageTabs } from '../../parts/tabs.tsx';
import { Duplicates } from './duplicates.tsx';
import { Purchases } from './purchases.tsx';
import { Revenue } from './revenue.tsx';
import { Subscriptions } from './subscriptions.tsx';

/** What was sold. */
export function Sold() {
  const { tab = 'subscriptions', project_id: projectId = '' } = useFilters();
  const navigate = useNavigate();
  const shared = projectId === '' ? {} : { project_id: projectId };
  return (
    <Page title="Sold" words="Subscriptions and purchases, with filters; revenue by day.">
      <PageTabs
        shown={tab}
        onChange={(next) => void navigate({ to: '.', search: { ...shared, tab: next } })}
        tabs={[
          ['subscriptions', 'Subscriptions', <Subscriptions key="subscriptions" />],
          ['purchases', 'Purchases', <Purchases key="purchases" />],
          ['duplicates', 'Had twice', <Duplicates key="duplicates" />],
          ['revenue', 'Revenue', <Revenue key="revenue" />],
        ]}
      />
    </Page>
  );
}
