import type { ProjectOut } from '@billing/domain';
import { Text } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { pathOf } from '../../api/address.ts';
import { useRead } from '../../api/reads.ts';
import { ActionButton } from '../../parts/action.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { Facts } from '../../parts/facts.tsx';
import { Page, Section } from '../../parts/page.tsx';
import { Loaded } from '../../parts/states.tsx';
import { Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';
import { describeCheckout } from '../../words/checkout.ts';
import { describePolicy } from '../../words/policy.ts';
import { ApiKeys } from './api-keys.tsx';
import {
  changeAddresses,
  changeCheckout,
  changePolicy,
  changeProject,
  switchProject,
} from './project-actions.ts';
import { ProjectNav } from './project-nav.tsx';

function Policy({ project }: { project: ProjectOut }) {
  return (
    <Section
      title="Policy"
      actions={<ActionButton action={changePolicy(project)} label="Change the policy" />}
    >
      <DataTable
        name="Policy"
        rows={describePolicy(project.policy)}
        keyOf={({ name }) => name}
        columns={[
          {
            name: 'Setting',
            cell: ({ name }) => (
              <Text size="sm" ff="monospace" className="id">
                {name}
              </Text>
            ),
          },
          { name: 'Value', cell: ({ value }) => value },
          { name: 'Effect', cell: ({ effect }) => effect },
        ]}
      />
    </Section>
  );
}

function Addresses({ project }: { project: ProjectOut }) {
  return (
    <Section
      title="Checkout and portal"
      actions={<ActionButton action={changeAddresses(project)} label="Change the addresses" />}
    >
      <Facts
        of={[
          [
            'Origins that they may lead back to',
            project.redirect_origins.length === 0 ? 'any' : project.redirect_origins.join(', '),
          ],
          ['Configuration of the portal', project.portal_configuration ?? 'that of the account'],
        ]}
      />
    </Section>
  );
}

function Checkout({ project }: { project: ProjectOut }) {
  return (
    <Section
      title="Defaults of the checkout"
      actions={<ActionButton action={changeCheckout(project)} label="Change the checkout" />}
    >
      <DataTable
        name="Defaults of the checkout"
        rows={describeCheckout(project.checkout_defaults)}
        keyOf={({ name }) => name}
        columns={[
          { name: 'Setting', cell: ({ label }) => label },
          {
            name: 'Effect',
            cell: ({ isSet, effect }) =>
              isSet ? effect : <Text size="sm" c="dimmed">{`Not set: ${effect}`}</Text>,
          },
        ]}
      />
    </Section>
  );
}

export function Project() {
  const { projectId } = useParams({ from: '/projects/$projectId' });
  const read = useRead<ProjectOut>(pathOf`/api/v1/admin/projects/${projectId}`);
  return (
    <Page
      title={`Project ${projectId}`}
      id={projectId}
      words={read.data?.description ?? read.data?.name}
      actions={
        read.data === undefined ? null : (
          <>
            <ActionButton action={changeProject(read.data)} />
            <ActionButton action={switchProject(read.data)} />
          </>
        )
      }
    >
      <ProjectNav projectId={projectId} />
      <Loaded read={read}>
        {(project) => (
          <>
            <Facts
              of={[
                ['Name', project.name],
                ['State', <Status key="state" of={project.is_active ? 'active' : 'off'} />],
                ['Made', <Time key="made" at={project.created_at} />],
                ['Changed', <Time key="changed" at={project.updated_at} />],
              ]}
            />
            <ApiKeys projectId={projectId} />
            <Policy project={project} />
            <Addresses project={project} />
            <Checkout project={project} />
          </>
        )}
      </Loaded>
    </Page>
  );
}
