import { Anchor } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { CopyableId } from './copyable-id.tsx';

type UserProps = { projectId: string | null; userId: string | null };

/** A user's id that leads to the user. */
export function UserLink({ projectId, userId }: UserProps) {
  if (projectId === null || userId === null) return <>–</>;
  return (
    <CopyableId id={userId}>
      <Anchor component={Link} to="/users/$projectId/$userId" params={{ projectId, userId }} size="sm">
        {userId}
      </Anchor>
    </CopyableId>
  );
}

export function ProjectLink({ projectId }: { projectId: string | null }) {
  if (projectId === null) return <>–</>;
  return (
    <Anchor component={Link} to="/projects/$projectId" params={{ projectId }} size="sm">
      {projectId}
    </Anchor>
  );
}

export function EventLink({ eventId }: { eventId: string | null }) {
  if (eventId === null) return <>–</>;
  return (
    <CopyableId id={eventId}>
      <Anchor component={Link} to="/events/$eventId" params={{ eventId }} size="sm">
        {eventId}
      </Anchor>
    </CopyableId>
  );
}

export function RunLink({ runId }: { runId: string }) {
  return (
    <CopyableId id={runId}>
      <Anchor component={Link} to="/runs/$runId" params={{ runId }} size="sm">
        {runId}
      </Anchor>
    </CopyableId>
  );
}

/** An id whose owner `Find` knows. */
export function FoundLink({ id }: { id: string | null }) {
  if (id === null) return <>–</>;
  return (
    <CopyableId id={id}>
      <Anchor component={Link} to="/find" search={{ q: id }} size="sm">
        {id}
      </Anchor>
    </CopyableId>
  );
}
