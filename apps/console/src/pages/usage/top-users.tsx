import { pathOf } from '../../api/call.ts';
import { useList } from '../../api/reads.ts';
import { useFilters } from '../../parts/filters.tsx';
import { UserLink } from '../../parts/links.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Section } from '../../parts/page.tsx';

type TopUser = { user_id: string; quantity: number };

/** Who used most of a feature. */
export function TopUsers({ projectId, code }: { projectId: string; code: string }) {
  const { from, to } = useFilters();
  const list = useList<TopUser>(pathOf`/api/v1/admin/projects/${projectId}/usage/top-users`, {
    query: { feature_code: code, from, to },
  });
  return (
    <Section title={`Who used most of ${code}`}>
      <ListTable
        name="Top users"
        list={list}
        keyOf={({ user_id: id }) => id}
        empty="Nobody used it in this time."
        columns={[
          { name: 'User', cell: ({ user_id: userId }) => <UserLink projectId={projectId} userId={userId} /> },
          { name: 'Used', cell: ({ quantity }) => quantity.toLocaleString(), isNumber: true },
        ]}
      />
    </Section>
  );
}
