import { useParams } from '@tanstack/react-router';
import { Filters, useFilters } from '../../parts/filters.tsx';
import { Page } from '../../parts/page.tsx';
import { Empty } from '../../parts/states.tsx';
import { ProjectNav } from '../projects/project-nav.tsx';
import { MeterReports, Refusals } from './problems.tsx';
import { UsageSeriesOf } from './series.tsx';
import { TopUsers } from './top-users.tsx';
import { UsageEvents } from './usage-events.tsx';

/** Who used how much. */
export function Usage() {
  const { projectId } = useParams({ from: '/projects/$projectId/usage' });
  const { user_id: userId = '', feature_code: code = '' } = useFilters();
  return (
    <Page
      title={`Usage of ${projectId}`}
      words="Of a feature: who used most. Of a user and feature: when, and each event."
    >
      <ProjectNav projectId={projectId} />
      <Filters
        of={[
          { name: 'feature_code', label: 'Feature' },
          { name: 'user_id', label: 'User' },
          { name: 'by', label: 'By', options: ['hour', 'day', 'month'] },
          { name: 'from', label: 'From', isTime: true },
          { name: 'to', label: 'To', isTime: true },
        ]}
      />
      {code === '' ? <Empty>Say which feature.</Empty> : null}
      {code !== '' && userId === '' ? <TopUsers projectId={projectId} code={code} /> : null}
      {code !== '' && userId !== '' ? (
        <>
          <UsageSeriesOf of={{ projectId, userId, code }} />
          <UsageEvents of={{ projectId, userId, code }} />
        </>
      ) : null}
      <Refusals projectId={projectId} />
      <MeterReports projectId={projectId} />
    </Page>
  );
}
