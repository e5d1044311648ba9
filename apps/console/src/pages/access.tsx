import type { AdminNameOut, SessionOut } from '@billing/domain';
import { useList, useRead } from '../api/reads.ts';
import { pathOf } from '../api/address.ts';
import { ActionButton } from '../parts/action.tsx';
import type { Action } from '../parts/action-type.ts';
import { DataTable } from '../parts/data-table.tsx';
import { ProjectLink } from '../parts/links.tsx';
import { ListTable } from '../parts/list.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Loaded } from '../parts/states.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';

const endSession = ({ session_id: id, name }: SessionOut): Action => ({
  label: 'End',
  title: `End the session of ${name}`,
  words: 'Who uses it has to sign in again. To keep somebody out, take the name out of ADMIN_API_KEY.',
  least: 'admin',
  isTried: true,
  isDangerous: true,
  request: () => ({ method: 'DELETE', path: pathOf`/api/v1/admin/sessions/${id}` }),
});

function Sessions() {
  const list = useList<SessionOut>('/api/v1/admin/sessions');
  return (
    <ListTable
      name="Sessions"
      list={list}
      keyOf={({ session_id: id }) => id}
      empty="Nobody is signed in."
      columns={[
        { name: 'Name', cell: ({ name }) => name },
        { name: 'Signed in', cell: ({ created_at: at }) => <Time at={at} /> },
        { name: 'Last used', cell: ({ last_used_at: at }) => <Time at={at} withDistance /> },
        { name: 'Ends at the latest', cell: ({ expires_at: at }) => <Time at={at} /> },
        {
          name: 'Actions',
          cell: (session) => (
            <ActionButton action={endSession(session)} label={`End the session of ${session.name}`} />
          ),
        },
      ]}
    />
  );
}

function Names() {
  const read = useRead<{ data: AdminNameOut[] }>('/api/v1/admin/names');
  return (
    <Loaded read={read}>
      {({ data }) => (
        <DataTable
          name="Names"
          rows={data}
          keyOf={({ name }) => name}
          columns={[
            { name: 'Name', cell: ({ name }) => name },
            { name: 'Role', cell: ({ role }) => <Status of={role} /> },
            {
              name: 'Project',
              cell: ({ project_id: id }) => (id === null ? 'all' : <ProjectLink projectId={id} />),
            },
          ]}
        />
      )}
    </Loaded>
  );
}

/** Who is signed in, and who may be. */
export function Access() {
  return (
    <Page title="Access" words="Who is signed in, and who may be.">
      <Section title="Sessions">
        <Sessions />
      </Section>
      <Section title="Names of ADMIN_API_KEY">
        <Names />
      </Section>
    </Page>
  );
}
