import type { ProjectOut } from '@billing/domain';
import { useList } from '../../api/reads.ts';
import { ActionButton } from '../../parts/action.tsx';
import type { Action } from '../../parts/action-type.ts';
import { givenText, textOf } from '../../parts/values.ts';
import { ProjectLink } from '../../parts/links.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Page } from '../../parts/page.tsx';
import { Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';

const createProject: Action = {
  label: 'New project',
  title: 'New project',
  words: 'A project is one product backend: its keys, catalog, users and policy.',
  least: 'admin',
  isOfAll: true,
  isTried: true,
  fields: [
    {
      kind: 'text',
      name: 'project_id',
      label: 'Id',
      description: 'Stays for ever; short, such as shop.',
      isRequired: true,
    },
    { kind: 'text', name: 'name', label: 'Name', isRequired: true },
    { kind: 'area', name: 'description', label: 'Description' },
  ],
  request: (values) => ({
    method: 'POST',
    path: '/api/v1/admin/projects',
    body: {
      project_id: textOf(values, 'project_id'),
      name: textOf(values, 'name'),
      ...(givenText(values, 'description') === undefined
        ? {}
        : { description: givenText(values, 'description') }),
    },
  }),
  done: () => 'The project is there. Next: a key for its backend, then its catalog.',
};

export function Projects() {
  const list = useList<ProjectOut>('/api/v1/admin/projects');
  return (
    <Page
      title="Projects"
      words="One for each product backend."
      actions={<ActionButton action={createProject} variant="filled" />}
    >
      <ListTable
        name="Projects"
        list={list}
        keyOf={({ project_id: id }) => id}
        empty="There is no project yet."
        columns={[
          { name: 'Id', cell: ({ project_id: id }) => <ProjectLink projectId={id} /> },
          { name: 'Name', cell: ({ name }) => <span className="value">{name}</span> },
          { name: 'State', cell: ({ is_active: isActive }) => <Status of={isActive ? 'active' : 'off'} /> },
          { name: 'Changed', cell: ({ updated_at: at }) => <Time at={at} /> },
        ]}
      />
    </Page>
  );
}
