import type { ApiKeyOut } from '@billing/domain';
import { Group } from '@mantine/core';
import { pathOf } from '../../api/address.ts';
import { useList } from '../../api/reads.ts';
import { ActionButton } from '../../parts/action.tsx';
import { CopyableId } from '../../parts/copyable-id.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { Lines } from '../../parts/lines.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Section } from '../../parts/page.tsx';
import { Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';
import { createKey, revokeKey, rotateKey } from './key-actions.tsx';

function stateOf({ revoked_at: revoked, expires_at: expires }: ApiKeyOut): string {
  if (revoked !== null) return 'revoked';
  return expires !== null && Date.parse(expires) <= Date.now() ? 'ended' : 'active';
}

const columns: readonly Column<ApiKeyOut>[] = [
  { name: 'Begins with', cell: ({ prefix }) => <CopyableId id={prefix} /> },
  { name: 'Name', cell: ({ name }) => <span className="value">{name ?? '–'}</span> },
  { name: 'State', cell: (key) => <Status of={stateOf(key)} /> },
  {
    name: 'May',
    cell: ({ scopes, allowed_ips: ips }) => (
      <Lines of={scopes.join(', ')}>from {ips.length === 0 ? 'anywhere' : ips.join(', ')}</Lines>
    ),
  },
  {
    name: 'Last used',
    cell: ({ last_used_at: at, expires_at: end }) => (
      <Lines of={<Time at={at} none="never" />}>
        {end === null ? null : (
          <>
            ends <Time at={end} />
          </>
        )}
      </Lines>
    ),
  },
  {
    name: 'Actions',
    cell: (key) =>
      stateOf(key) === 'active' ? (
        <Group gap="xs" wrap="nowrap">
          <ActionButton action={rotateKey(key)} label={`Rotate ${key.prefix}`} />
          <ActionButton action={revokeKey(key)} label={`Revoke ${key.prefix}`} />
        </Group>
      ) : null,
  },
];

/** Keys of the project's backend. A key itself is shown once, when it is made. */
export function ApiKeys({ projectId }: { projectId: string }) {
  const list = useList<ApiKeyOut>(pathOf`/api/v1/admin/projects/${projectId}/api-keys`);
  return (
    <Section title="Keys" actions={<ActionButton action={createKey(projectId)} />}>
      <ListTable
        name="Keys"
        list={list}
        columns={columns}
        keyOf={({ key_id: id }) => id}
        empty="There is no key: nobody can ask for this project."
      />
    </Section>
  );
}
