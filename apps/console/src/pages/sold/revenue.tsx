import type { RevenueDayOut, RevenueDaysOut } from '@billing/domain';
import { useRead } from '../../api/reads.ts';
import { useSession } from '../../app/session.tsx';
import { Filters, useFilters } from '../../parts/filters.tsx';
import { Graph } from '../../parts/graph.tsx';
import type { Series } from '../../parts/graph-type.ts';
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

type Status = RevenueDayOut['subscriptions_by_status'][number]['status'];

const alive = [
  { name: 'active', label: 'Active', colour: 'teal' },
  { name: 'trialing', label: 'In trial', colour: 'blue' },
  { name: 'past_due', label: 'Past due', colour: 'orange' },
  { name: 'unpaid', label: 'Unpaid', colour: 'red' },
  { name: 'paused', label: 'Paused', colour: 'grape' },
  { name: 'incomplete', label: 'Never paid yet', colour: 'cyan' },
] satisfies (Series & { name: Status })[];
const ended = [
  { name: 'canceled', label: 'Cancelled', colour: 'red' },
  { name: 'incomplete_expired', label: 'Never paid', colour: 'cyan' },
] satisfies (Series & { name: Status })[];

/** How many had each status; of a day of an older version only two are known. */
function statusesOf(day: RevenueDayOut): Partial<Record<Status, number>> {
  const { subscriptions_by_status: known } = day;
  if (known.length === 0 && day.total_subscriptions > 0)
    return { active: day.active_subscriptions, trialing: day.trialing_subscriptions };
  return Object.fromEntries(known.map(({ status, subscriptions }) => [status, subscriptions]));
}

type OfStatuses = {
  name: string;
  days: readonly RevenueDayOut[];
  of: readonly (Series & { name: Status })[];
};

/** A line for each of these statuses that a subscription has on one of the days. */
function Statuses({ name, days, of }: OfStatuses) {
  const counted = days.map((day) => ({ day, statuses: statusesOf(day) }));
  const series = of.filter((one) => counted.some(({ statuses }) => statuses[one.name] !== undefined));
  const points = counted.map(({ day, statuses }) => {
    const isWhole = day.subscriptions_by_status.length > 0 || day.total_subscriptions === 0;
    const entries = series.map((one) => [one.name, statuses[one.name] ?? (isWhole ? 0 : null)] as const);
    return { at: day.day, ...Object.fromEntries(entries) };
  });
  if (series.length === 0) return <Empty>There is none.</Empty>;
  return <Graph name={name} series={series} points={points} />;
}
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
        <Statuses name="Subscriptions, by state" days={days} of={alive} />
      </Section>
      <Section title="Subscriptions that are over">
        <Statuses name="Ended subscriptions, by state" days={days} of={ended} />
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
  const { session } = useSession();
  const { project_id: projectId = session.project_id ?? '', from, to } = useFilters();
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
