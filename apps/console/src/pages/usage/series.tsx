import { pathOf } from '../../api/address.ts';
import { useRead } from '../../api/reads.ts';
import { useFilters } from '../../parts/filters.tsx';
import { Graph } from '../../parts/graph.tsx';
import { Section } from '../../parts/page.tsx';
import { Loaded } from '../../parts/states.tsx';

export type UsageKey = { projectId: string; userId: string; code: string };

type Series = { data: { start: string; quantity: number }[] };

const formats = {
  hour: new Intl.DateTimeFormat(undefined, { dateStyle: 'short', timeStyle: 'short' }),
  day: new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' }),
  month: new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'long' }),
};

/** How much of a feature a user used, over time. */
export function UsageSeriesOf({ of }: { of: UsageKey }) {
  const { by: asked, from, to } = useFilters();
  const by = asked === 'hour' || asked === 'month' ? asked : 'day';
  const read = useRead<Series>(pathOf`/api/v1/admin/projects/${of.projectId}/usage`, {
    query: { user_id: of.userId, feature_code: of.code, by, from, to },
  });
  return (
    <Section title={`${of.code} by ${by}`}>
      <Loaded read={read}>
        {({ data }) => (
          <Graph
            name={`What ${of.userId} used of ${of.code}`}
            points={data.map(({ start, quantity }) => ({
              at: formats[by].format(new Date(start)),
              quantity,
            }))}
            series={[{ name: 'quantity', label: 'Used', colour: 'blue' }]}
          />
        )}
      </Loaded>
    </Section>
  );
}
