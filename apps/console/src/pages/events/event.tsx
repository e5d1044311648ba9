import type { EventDetailOut } from '@billing/domain';
import { useParams } from '@tanstack/react-router';
import { pathOf } from '../../api/address.ts';
import { useRead } from '../../api/reads.ts';
import { ActionButton } from '../../parts/action.tsx';
import { ChangeTable } from '../../parts/change-table.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { Facts } from '../../parts/facts.tsx';
import { Json } from '../../parts/json.tsx';
import { EventLink, FoundLink, ProjectLink, UserLink } from '../../parts/links.tsx';
import { Page, Section } from '../../parts/page.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';
import { replayOne, tryReplay } from '../runs/run-actions.tsx';
import { AnchorLink } from '../../parts/router-links.tsx';

function EventFacts({ of }: { of: EventDetailOut }) {
  return (
    <Facts
      of={[
        ['Outcome', <Status key="outcome" of={of.status} />],
        ['Reason', of.reason],
        ['Awaits', of.awaits === null ? null : <FoundLink key="awaits" id={of.awaits} />],
        ['Object', <FoundLink key="object" id={of.object_id} />],
        ['Customer', <FoundLink key="customer" id={of.customer_id} />],
        ['Project', <ProjectLink key="project" projectId={of.project_id} />],
        ['Made by Stripe', <Time key="made" at={of.created} />],
        ['Received', <Time key="received" at={of.received_at} />],
        ['Processed', <Time key="processed" at={of.processed_at} />],
        ['Tries', of.attempts],
        ['Version of Stripe’s API', of.api_version],
        ['Trace', of.trace_id === null ? null : <CopyableId key="trace" id={of.trace_id} />],
        ['The event before', <EventLink key="before" eventId={of.previous_event_id} />],
      ]}
    />
  );
}

function Objects({ of }: { of: EventDetailOut['objects'] }) {
  return (
    <DataTable
      name="What is stored of it"
      rows={of}
      keyOf={({ id, project_id: projectId }) => `${id} ${projectId}`}
      empty="Nothing is stored of what it is about."
      columns={[
        { name: 'Object', cell: ({ id }) => <CopyableId id={id} /> },
        { name: 'Kind', cell: ({ kind }) => kind },
        {
          name: 'State',
          cell: ({ is_newest: isNewest }) => (isNewest ? 'as this event has it' : 'as a newer event has it'),
        },
        {
          name: 'User',
          cell: ({ project_id: projectId, user_id: userId }) => (
            <UserLink projectId={projectId} userId={userId} />
          ),
        },
        { name: 'Project', cell: ({ project_id: projectId }) => <ProjectLink projectId={projectId} /> },
      ]}
    />
  );
}

/** One event: what is kept of it, what it changed, and the way to process it again. */
export function Event() {
  const { eventId } = useParams({ from: '/events/$eventId' });
  const read = useRead<EventDetailOut>(pathOf`/api/v1/admin/events/${eventId}`);
  return (
    <Page
      title={`Event ${eventId}`}
      id={eventId}
      words={read.data?.type}
      actions={
        read.data === undefined ? null : (
          <>
            <ActionButton action={tryReplay(eventId)} />
            <ActionButton action={replayOne(eventId)} />
          </>
        )
      }
    >
      <Loaded read={read}>
        {(event) => (
          <>
            <EventFacts of={event} />
            <Section title="What it changed">
              {event.changes === null ? (
                <Empty>It cannot be compared: its payload, or that of the event before, is not there.</Empty>
              ) : (
                <ChangeTable changes={event.changes} empty="Nothing that is kept of it." />
              )}
            </Section>
            <Section title="What is stored of it">
              <Objects of={event.objects} />
            </Section>
            <Section title="What is kept of it">
              {event.payload === null ? (
                <Empty>The payload is no longer kept.</Empty>
              ) : (
                <Json of={event.payload} name="Payload" />
              )}
            </Section>
            {event.object_id === null ? null : (
              <AnchorLink to="/events" search={{ object_id: event.object_id }}>
                All events about {event.object_id}
              </AnchorLink>
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}
