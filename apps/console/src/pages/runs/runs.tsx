import type { RunOut } from '@billing/domain';
import { useList } from '../../api/reads.ts';
import { useSession } from '../../app/session.tsx';
import { ActionButton } from '../../parts/action.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { Filters, useFilters } from '../../parts/filters.tsx';
import type { Filter } from '../../parts/filters.tsx';
import { ProjectLink, RunLink } from '../../parts/links.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Page } from '../../parts/page.tsx';
import { inWords, Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';
import { replayMany, startReconcile } from './run-actions.tsx';

const columns: readonly Column<RunOut>[] = [
  { name: 'Asked for', cell: ({ created_at: at }) => <Time at={at} /> },
  { name: 'Run', cell: ({ run_id: id }) => <RunLink runId={id} /> },
  { name: 'Kind', cell: ({ kind, dry_run: isTry }) => `${inWords(kind)}${isTry ? ', as a try' : ''}` },
  { name: 'State', cell: ({ status }) => <Status of={status} /> },
  {
    name: 'At',
    cell: ({ progress: { phase, objects } }) => `${inWords(phase)}, ${objects.toLocaleString()}`,
  },
  { name: 'Project', cell: ({ project_id: id }) => <ProjectLink projectId={id} /> },
  { name: 'By', cell: ({ requested_by: by }) => by },
];

const filters: readonly Filter[] = [
  {
    name: 'kind',
    label: 'Kind',
    options: ['reconcile', 'replay', 'erase', 'backfill', 'base_line', 'import'],
  },
  { name: 'status', label: 'State', options: ['running', 'done', 'failed'] },
];

/** Work that takes minutes. */
export function Runs() {
  const { kind, status } = useFilters();
  const { session } = useSession();
  const list = useList<RunOut>('/api/v1/admin/runs', { query: { kind, status } });
  return (
    <Page
      title="Runs"
      words="Work that takes minutes and goes on without this page."
      actions={
        <>
          <ActionButton action={startReconcile(session.project_id)} variant="filled" />
          <ActionButton action={replayMany()} />
        </>
      }
    >
      <Filters of={filters} />
      <ListTable
        name="Runs"
        list={list}
        columns={columns}
        keyOf={({ run_id: id }) => id}
        empty="No run is like this."
      />
    </Page>
  );
}
