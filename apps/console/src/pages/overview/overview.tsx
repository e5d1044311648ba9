import { Alert, Stack, Text } from '@mantine/core';
import type { ConditionOut, OverviewOut } from '@billing/domain';
import { Navigate } from '@tanstack/react-router';
import { useRead } from '../../api/reads.ts';
import { useSession } from '../../app/session.tsx';
import { Page, Section } from '../../parts/page.tsx';
import { Loaded } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { EventGraph, QueueGraphs } from './graphs.tsx';
import { Tiles } from './tiles.tsx';
import { AnchorLink } from '../../parts/router-links.tsx';

/** Where a condition is looked at. */
const placeOf: Partial<
  Record<ConditionOut['code'], '/events' | '/quarantine' | '/runs' | '/queues' | '/projects'>
> = {
  queue_unreachable: '/queues',
  no_worker: '/queues',
  queue_waits: '/queues',
  events_failed: '/events',
  events_quarantined: '/quarantine',
  drift_found: '/runs',
  runs_failed: '/runs',
  events_not_seen: '/runs',
  prices_unverified: '/projects',
  webhook_endpoints_given_up: '/projects',
  webhook_deliveries_wait: '/projects',
  webhook_key_missing: '/projects',
  sweep_late: '/runs',
  stripe_throttled: '/runs',
};
const searchOf: Partial<Record<ConditionOut['code'], Record<string, string>>> = {
  events_failed: { status: 'failed' },
  runs_failed: { status: 'failed' },
};

function Conditions({ of }: { of: readonly ConditionOut[] }) {
  if (of.length === 0)
    return (
      <Alert role="status" variant="outline" color="green" title="All is well">
        Nothing needs anybody.
      </Alert>
    );
  return (
    <Stack gap="xs">
      {of.map(({ code, severity, words }) => {
        const to = placeOf[code];
        return (
          <Alert
            key={code}
            role="status"
            variant="outline"
            color={severity === 'page' ? 'red' : 'orange'}
            title={severity === 'page' ? 'Now' : 'Today'}
          >
            <Text size="sm">{words}</Text>
            {to === undefined ? null : (
              <AnchorLink to={to} search={searchOf[code] ?? {}} size="sm">
                Look at it
              </AnchorLink>
            )}
          </Alert>
        );
      })}
    </Stack>
  );
}

/** Is all well? A name of one project begins at its project. */
export function Overview() {
  const { session } = useSession();
  const { project_id: projectId } = session;
  if (projectId !== null) return <Navigate to="/projects/$projectId" params={{ projectId }} replace />;
  return <OverviewOfAll />;
}

function OverviewOfAll() {
  const read = useRead<OverviewOut>('/api/v1/admin/overview');
  return (
    <Page title="Overview" words="Is all well?">
      <Loaded read={read}>
        {(overview) => (
          <>
            <Section title="What needs somebody">
              <Conditions of={overview.conditions} />
            </Section>
            <Section title="How it stands">
              <Tiles of={overview} />
              <Text size="sm" c="dimmed">
                As of <Time at={overview.at} />
              </Text>
            </Section>
          </>
        )}
      </Loaded>
      <Section title="Queues, last 24 hours">
        <QueueGraphs />
      </Section>
      <Section title="Stripe’s events, last 24 hours">
        <EventGraph />
      </Section>
    </Page>
  );
}
