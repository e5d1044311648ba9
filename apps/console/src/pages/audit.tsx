import type { AuditOut } from '@billing/domain';
import { useSession } from '../app/session.tsx';
import { useList } from '../api/reads.ts';
import { CopyableId } from '../parts/copyable-id.tsx';
import type { Column } from '../parts/data-table.tsx';
import { Filters, useFilters } from '../parts/filters.tsx';
import type { Filter } from '../parts/filters.tsx';
import { Json } from '../parts/json.tsx';
import { ProjectLink, UserLink } from '../parts/links.tsx';
import { Lines } from '../parts/lines.tsx';
import { ListTable } from '../parts/list.tsx';
import { Page } from '../parts/page.tsx';
import { Time } from '../parts/time.tsx';
import { VerifyAudit } from './audit-verify.tsx';

function Target({ of }: { of: AuditOut }) {
  if (of.erased_at !== null) return <>erased</>;
  return (
    <>
      {of.target_type}
      {of.target_type === 'user' && of.project_id !== null ? (
        <UserLink projectId={of.project_id} userId={of.target_id} />
      ) : (
        <CopyableId id={of.target_id} />
      )}
    </>
  );
}

/** What was changed, and the request that did it. */
function Details({ of: { audit_id: id, details, request_id: requestId } }: { of: AuditOut }) {
  if (Object.keys(details).length === 0 && requestId === null) return <>–</>;
  return (
    <details>
      <summary>Show</summary>
      {requestId === null ? null : (
        <>
          Request <CopyableId id={requestId} />
        </>
      )}
      {Object.keys(details).length === 0 ? null : <Json of={details} name={`Details of ${id}`} />}
    </details>
  );
}

const columns: readonly Column<AuditOut>[] = [
  { name: 'When, who', cell: ({ at, actor }) => <Lines of={<Time at={at} />}>{actor}</Lines> },
  {
    name: 'Did, in the project',
    cell: ({ action, project_id: id }) => (
      <Lines of={action}>{id === null ? null : <ProjectLink projectId={id} />}</Lines>
    ),
  },
  { name: 'To', cell: (entry) => <Target of={entry} /> },
  { name: 'Reason', cell: ({ reason }) => <span className="value">{reason ?? '–'}</span> },
  { name: 'Details', cell: (entry) => <Details of={entry} /> },
];

const filters: readonly Filter[] = [
  { name: 'project_id', label: 'Project' },
  { name: 'actor', label: 'Who' },
  { name: 'action', label: 'Action' },
  { name: 'target_type', label: 'Kind' },
  { name: 'target_id', label: 'Id' },
  { name: 'from', label: 'From', isTime: true },
  { name: 'to', label: 'To', isTime: true },
];

/** Who did what. */
export function Audit() {
  const search = useFilters();
  // The chain is one, of all projects.
  const { session } = useSession();
  const query = Object.fromEntries(filters.map(({ name }) => [name, search[name]]));
  const list = useList<AuditOut>('/api/v1/admin/audit', { query });
  return (
    <Page title="Audit" words="Changes by hand, and looks at users. Nobody can change an entry.">
      {session.project_id === null ? <VerifyAudit /> : null}
      <Filters of={filters} />
      <ListTable
        name="Audit"
        list={list}
        columns={columns}
        keyOf={({ audit_id: id }) => id}
        empty="No entry is like this."
      />
    </Page>
  );
}
