import { Text } from '@mantine/core';
import type { FoundUserOut } from '@billing/domain';
import { Navigate } from '@tanstack/react-router';
import { useList } from '../api/reads.ts';
import { CopyableId } from '../parts/copyable-id.tsx';
import type { Column } from '../parts/data-table.tsx';
import { Filters, useFilters } from '../parts/filters.tsx';
import { ProjectLink, UserLink } from '../parts/links.tsx';
import { ListTable } from '../parts/list.tsx';
import { Page } from '../parts/page.tsx';
import { inWords } from '../parts/status.tsx';
import { AnchorLink } from '../parts/router-links.tsx';

const columns: readonly Column<FoundUserOut>[] = [
  { name: 'Matched', cell: ({ matched }) => inWords(matched) },
  { name: 'Id', cell: ({ matched_id: id }) => <CopyableId id={id} /> },
  {
    name: 'User',
    cell: ({ project_id: projectId, user_id: userId }) => <UserLink {...{ projectId, userId }} />,
  },
  { name: 'Project', cell: ({ project_id: projectId }) => <ProjectLink projectId={projectId} /> },
  { name: 'Known by', cell: ({ owner_source: source }) => (source === null ? '–' : inWords(source)) },
];

/** Whether it looks like an id of Stripe's, such as `in_123`: an event may be about it, whoever it belongs to. */
const isOfStripe = (q: string): boolean => /^[a-z]{2,8}_[A-Za-z0-9_]+$/.test(q) && !q.startsWith('proj_');

/** The one user that all matches lead to. */
function onlyUser(found: readonly FoundUserOut[]): { projectId: string; userId: string } | null {
  const [first] = found;
  if (first?.project_id === null || first?.project_id === undefined || first.user_id === null) return null;
  const { project_id: projectId, user_id: userId } = first;
  return found.every((one) => one.project_id === projectId && one.user_id === userId)
    ? { projectId, userId }
    : null;
}

function Found({ q, wantsList }: { q: string; wantsList: boolean }) {
  const list = useList<FoundUserOut>('/api/v1/admin/users', { query: { query: q }, isAudited: true });
  const only = list.isFetching ? null : onlyUser(list.rows ?? []);
  // Who looks for one user wants to see that user; `list=1` in the address shows what matched.
  if (only !== null && !wantsList) return <Navigate to="/users/$projectId/$userId" params={only} replace />;
  return (
    <>
      <ListTable
        name="What was found"
        list={list}
        columns={columns}
        keyOf={(row) => `${row.matched} ${row.matched_id} ${row.project_id} ${row.user_id}`}
        empty={`Nothing has exactly the id “${q}”. Ids are whole: no part of one is found.`}
      />
      {q.startsWith('evt_') ? (
        <Text>
          <AnchorLink to="/events/$eventId" params={{ eventId: q }}>
            Open the event {q}
          </AnchorLink>
        </Text>
      ) : isOfStripe(q) ? (
        <Text>
          <AnchorLink to="/events" search={{ object_id: q }}>
            All events about {q}
          </AnchorLink>
        </Text>
      ) : null}
    </>
  );
}

/** A whole API key is a secret: only its prefix is looked for, and stays in the address. */
const withoutSecret = (q: string): string => q.replace(/^(proj_[0-9A-Za-z]{6})[0-9A-Za-z]{32}$/, '$1');

/** Whose something is. */
export function Find() {
  const { q: asked = '', list = '' } = useFilters();
  const q = withoutSecret(asked);
  if (q !== asked) return <Navigate to="/find" search={{ q }} replace />;
  return (
    <Page
      title={q === '' ? 'Find' : `Find ${q}`}
      words="A user id, an API key’s prefix, or Stripe’s id of a customer, subscription, payment, invoice or event. Looks are in the audit log."
    >
      <Filters of={[{ name: 'q', label: 'Id' }]} />
      {q === '' ? null : <Found key={q} q={q} wantsList={list !== ''} />}
    </Page>
  );
}
