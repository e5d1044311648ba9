import type { RevenueDayOut, RevenueDaysOut } from '@billing/domain';
import { useRead } from '../../api/reads.ts';
import { Filters, useFilters } from '../../parts/filters.tsx';
import { Graph } from '../../parts/graph.tsx';
import type { Series } from '../../parts/line-chart.tsx';
import { Section } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';

const colours = ['blue', 'orange', 'teal', 'grape', 'red', 'cyan'];

function digitsOf(currency: string): number {
  return (
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  );
}

/** One line for each currency: they cannot be summed. */
function MonthlyRevenue({ days }: { days: readonly RevenueDayOut[] }) {
  const currencies = [...new Set(days.flatMap(({ mrr }) => mrr.map(({ currency }) => currency)))].toSorted();
  const series = currencies.map((currency, index): Series => ({
    name: currency,
    label: currency.toUpperCase(),
    colour: colours[index % colours.length] ?? 'blue',
  }));
  const points = days.map(({ day, mrr }) => ({
    at: day,
    ...Object.fromEntries(mrr.map(({ currency, amount }) => [currency, amount / 10 ** digitsOf(currency)])),
  }));
  return <Graph name="Monthly recurring revenue, by currency" points={points} series={series} />;
}

const byStatus = [
  { name: 'active', label: 'Active', colour: 'teal' },
  { name: 'trialing', label: 'In trial', colour: 'blue' },
];
const changes = [
  { name: 'new', label: 'New', colour: 'teal' },
  { name: 'lost', label: 'Lost', colour: 'red' },
];

function Graphs({ days }: { days: readonly RevenueDayOut[] }) {
  return (
    <>
      <Section title="Monthly recurring revenue">
        <MonthlyRevenue days={days} />
      </Section>
      <Section title="Subscriptions">
        <Graph
          name="Subscriptions, by state"
          series={byStatus}
          points={days.map((one) => ({
            at: one.day,
            active: one.active_subscriptions,
            trialing: one.trialing_subscriptions,
          }))}
        />
      </Section>
      <Section title="New and lost">
        <Graph
          name="New and lost subscriptions a day"
          series={changes}
          points={days.map((one) => ({
            at: one.day,
            new: one.new_subscriptions,
            lost: one.lost_subscriptions,
          }))}
        />
      </Section>
    </>
  );
}

/** Revenue of a project, day by day (UTC). */
export function Revenue() {
  const { project_id: projectId = '', from, to } = useFilters();
  const read = useRead<RevenueDaysOut>('/api/v1/admin/mrr', {
    query: { project_id: projectId, from, to },
    isWanted: projectId !== '',
  });
  return (
    <>
      <Filters
        of={[
          { name: 'project_id', label: 'Project' },
          { name: 'from', label: 'From (2026-11-01)' },
          { name: 'to', label: 'To (2026-11-30)' },
        ]}
      />
      {projectId === '' ? (
        <Empty>Say of which project.</Empty>
      ) : (
        <Loaded read={read}>{({ data }) => <Graphs days={data} />}</Loaded>
      )}
    </>
  );
}
