import { Alert, Loader, Text } from '@mantine/core';
import type { RunOut } from '@billing/domain';
import { useParams } from '@tanstack/react-router';
import { pathOf } from '../../api/address.ts';
import { useRead } from '../../api/reads.ts';
import { ChangeTable } from '../../parts/change-table.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { Facts } from '../../parts/facts.tsx';
import { FoundLink, ProjectLink } from '../../parts/links.tsx';
import { Page, Section } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { inWords, Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';

type Result = NonNullable<RunOut['result']>;

/** Numbers of a result by their names. */
function Counts({ of }: { of: object }) {
  const entries = Object.entries(of).filter(([, value]) => typeof value === 'number');
  return (
    <Facts of={entries.map(([name, value]) => [inWords(name), Number(value).toLocaleString()] as const)} />
  );
}

function Drift({ of }: { of: Extract<Result, { drift: unknown }> }) {
  return (
    <>
      <DataTable
        name="Differences from Stripe"
        rows={of.drift}
        keyOf={({ kind, object_id: id }) => `${kind} ${id}`}
        empty="Nothing differs from Stripe."
        columns={[
          { name: 'Object', cell: ({ object_id: id }) => <FoundLink id={id} /> },
          { name: 'What', cell: ({ kind }) => inWords(kind) },
          { name: 'Here', cell: ({ before }) => <code className="value">{JSON.stringify(before)}</code> },
          { name: 'At Stripe', cell: ({ after }) => <code className="value">{JSON.stringify(after)}</code> },
        ]}
      />
      {of.drift_truncated ? <Text size="sm">Only some are listed; the counts include all.</Text> : null}
    </>
  );
}

function ResultOf({ of }: { of: Result | null }) {
  if (of === null) return <Empty>Nothing is known yet.</Empty>;
  return (
    <>
      <Counts of={of} />
      {'outcomes' in of ? <Counts of={of.outcomes} /> : null}
      {'counts' in of ? <Counts of={of.counts} /> : null}
      {'drift' in of ? <Drift of={of} /> : null}
      {'changes' in of ? <ChangeTable changes={of.changes} empty="It changes nothing." /> : null}
    </>
  );
}

function State({ of }: { of: RunOut }) {
  if (of.status === 'failed' || of.error !== null)
    return (
      <Alert
        variant="outline"
        color={of.status === 'failed' ? 'red' : 'orange'}
        title={of.status === 'failed' ? 'It failed' : 'It waits'}
      >
        {of.error}
      </Alert>
    );
  if (of.status === 'done') return null;
  return (
    <Text role="status">
      <Loader size="xs" aria-hidden /> {inWords(of.progress.phase)}: {of.progress.objects.toLocaleString()}{' '}
      objects so far. It goes on when you leave.
    </Text>
  );
}

/** One run: how far it is, and what it found. */
export function Run() {
  const { runId } = useParams({ from: '/runs/$runId' });
  const read = useRead<RunOut>(pathOf`/api/v1/admin/runs/${runId}`);
  return (
    <Page
      title={`Run ${runId}`}
      id={runId}
      words={
        read.data === undefined
          ? undefined
          : `${inWords(read.data.kind)}${read.data.dry_run ? ', as a try' : ''}`
      }
    >
      <Loaded read={read}>
        {(run) => (
          <>
            <State of={run} />
            <Facts
              of={[
                ['State', <Status key="state" of={run.status} />],
                ['Project', <ProjectLink key="project" projectId={run.project_id} />],
                ['By', run.requested_by],
                ['Asked for', <Time key="asked" at={run.created_at} />],
                ['Begun', <Time key="begun" at={run.started_at} />],
                ['Ended', <Time key="ended" at={run.finished_at} />],
                ['Objects', run.progress.objects.toLocaleString()],
              ]}
            />
            <Section title={run.dry_run ? 'What it would do' : 'What it did'}>
              <ResultOf of={run.result} />
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  );
}
