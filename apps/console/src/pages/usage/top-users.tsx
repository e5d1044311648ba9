import type { TopUsersOut } from '@billing/domain';
import { Text } from '@mantine/core';
import { pathOf } from '../../api/address.ts';
import { useRead } from '../../api/reads.ts';
import { DataTable } from '../../parts/data-table.tsx';
import { useFilters } from '../../parts/filters.tsx';
import { UserLink } from '../../parts/links.tsx';
import { Section } from '../../parts/page.tsx';
import { Loaded } from '../../parts/states.tsx';

/** Who used most of a feature. */
export function TopUsers({ projectId, code }: { projectId: string; code: string }) {
  const { from, to } = useFilters();
  const read = useRead<TopUsersOut>(pathOf`/api/v1/admin/projects/${projectId}/usage/top-users`, {
    query: { feature_code: code, from, to, limit: 50 },
  });
  return (
    <Section title={`Who used most of ${code}`}>
      <Loaded read={read}>
        {({ data, users, quantity }) => (
          <>
            <Text size="sm">
              {users.toLocaleString()} users used {quantity.toLocaleString()} in all
              {from === undefined && to === undefined ? ', in the last 24 hours.' : '.'}
            </Text>
            <DataTable
              name="Top users"
              rows={data}
              keyOf={({ user_id: id }) => id}
              empty="Nobody used it in this time."
              columns={[
                {
                  name: 'User',
                  cell: ({ user_id: userId }) => <UserLink projectId={projectId} userId={userId} />,
                },
                { name: 'Used', cell: (row) => row.quantity.toLocaleString(), isNumber: true },
                { name: 'Overage', cell: ({ overage }) => overage.toLocaleString(), isNumber: true },
              ]}
            />
          </>
        )}
      </Loaded>
    </Section>
  );
}
