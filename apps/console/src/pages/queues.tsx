import { Anchor, Text } from '@mantine/core';
import type { OverviewOut } from '@billing/domain';
import { useRead } from '../api/reads.ts';
import { DataTable } from '../parts/data-table.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Empty, Loaded } from '../parts/states.tsx';
import { spanOf } from '../parts/time.tsx';
import { QueueGraphs } from './overview/graphs.tsx';

/** What is waiting. */
export function Queues() {
  const read = useRead<OverviewOut>('/api/v1/admin/overview');
  return (
    <Page title="Queues" words="What is waiting.">
      <Loaded read={read}>
        {({ queues }) =>
          queues === null ? (
            <Empty>The queue’s Redis cannot be reached.</Empty>
          ) : (
            <DataTable
              name="Queues"
              rows={queues}
              keyOf={({ name }) => name}
              columns={[
                { name: 'Queue', cell: ({ name }) => name },
                { name: 'Waiting', cell: ({ waiting }) => waiting.toLocaleString(), isNumber: true },
                { name: 'Running', cell: ({ active }) => active.toLocaleString(), isNumber: true },
                { name: 'Later', cell: ({ delayed }) => delayed.toLocaleString(), isNumber: true },
                { name: 'Failed', cell: ({ failed }) => failed.toLocaleString(), isNumber: true },
                { name: 'Oldest', cell: ({ oldest_seconds: age }) => spanOf(age), isNumber: true },
              ]}
            />
          )
        }
      </Loaded>
      <Section title="Last 24 hours">
        <QueueGraphs />
      </Section>
      <Text>
        <Anchor href="/admin/queues">Open the queue screen</Anchor> for single jobs. It asks for a name and
        secret of its own; where the service has an <code>OPERATIONS_PORT</code>, it is at that port.
      </Text>
    </Page>
  );
}
