import type { MeterReportOut } from '@billing/domain';
import { useList } from '../../api/reads.ts';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { UserLink } from '../../parts/links.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Section } from '../../parts/page.tsx';
import { Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';

type Refusal = {
  project_id: string;
  user_id: string;
  feature_code: string;
  event_id: string;
  refused_at: string;
  code: string;
  detail: string;
};

/** Usage that was queued while the database was away, and refused later. */
export function Refusals({ projectId }: { projectId: string }) {
  const list = useList<Refusal>('/api/v1/admin/usage/refusals', { query: { project_id: projectId } });
  return (
    <Section title="Refused after it was queued">
      <ListTable
        name="Refused usage"
        list={list}
        keyOf={({ event_id: id, refused_at: at }) => `${id} ${at}`}
        empty="None."
        columns={[
          { name: 'When', cell: ({ refused_at: at }) => <Time at={at} /> },
          { name: 'User', cell: ({ user_id: userId }) => <UserLink projectId={projectId} userId={userId} /> },
          { name: 'Feature', cell: ({ feature_code: code }) => code },
          { name: 'Event', cell: ({ event_id: id }) => <CopyableId id={id} /> },
          { name: 'Why', cell: ({ detail }) => <span className="value">{detail}</span> },
        ]}
      />
    </Section>
  );
}

/** What Stripe's meters were not told of yet. */
export function MeterReports({ projectId }: { projectId: string }) {
  const list = useList<MeterReportOut>('/api/v1/admin/usage/meter-reports', {
    query: { project_id: projectId },
  });
  return (
    <Section title="On the way to Stripe’s meters">
      <ListTable
        name="Meter reports"
        list={list}
        keyOf={(row) => `${row.user_id} ${row.feature_code} ${row.hour} ${row.sequence}`}
        empty="Nothing is on the way."
        columns={[
          { name: 'Hour', cell: ({ hour }) => <Time at={hour} /> },
          { name: 'User', cell: ({ user_id: userId }) => <UserLink projectId={projectId} userId={userId} /> },
          { name: 'Feature', cell: ({ feature_code: code }) => code },
          { name: 'State', cell: ({ state }) => <Status of={state} /> },
          { name: 'Quantity', cell: ({ quantity }) => quantity?.toLocaleString() ?? '–', isNumber: true },
          { name: 'Tries', cell: ({ attempts }) => attempts, isNumber: true },
          { name: 'Problem', cell: ({ problem }) => <span className="value">{problem ?? '–'}</span> },
        ]}
      />
    </Section>
  );
}
