import { CopyableId } from './copyable-id.tsx';
import { AnchorLink } from './router-links.tsx';

type UserProps = { projectId: string | null; userId: string | null };

/** A user's id that leads to the user. */
export function UserLink({ projectId, userId }: UserProps) {
  if (projectId === null || userId === null) return <>–</>;
  return (
    <CopyableId id={userId}>
      <AnchorLink to="/users/$projectId/$userId" params={{ projectId, userId }} size="sm">
        {userId}
      </AnchorLink>
    </CopyableId>
  );
}

/** A project's id that leads to the project, within a text. */
export const ProjectAnchor = ({ projectId }: { projectId: string }) => (
  <AnchorLink to="/projects/$projectId" params={{ projectId }} size="sm">
    {projectId}
  </AnchorLink>
);

export function ProjectLink({ projectId }: { projectId: string | null }) {
  if (projectId === null) return <>–</>;
  return (
    <CopyableId id={projectId}>
      <ProjectAnchor projectId={projectId} />
    </CopyableId>
  );
}

export function EventLink({ eventId }: { eventId: string | null }) {
  if (eventId === null) return <>–</>;
  return (
    <CopyableId id={eventId}>
      <AnchorLink to="/events/$eventId" params={{ eventId }} size="sm">
        {eventId}
      </AnchorLink>
    </CopyableId>
  );
}

export function RunLink({ runId }: { runId: string }) {
  return (
    <CopyableId id={runId}>
      <AnchorLink to="/runs/$runId" params={{ runId }} size="sm">
        {runId}
      </AnchorLink>
    </CopyableId>
  );
}

/** An id whose owner `Find` knows. */
export function FoundLink({ id }: { id: string | null }) {
  if (id === null) return <>–</>;
  return (
    <CopyableId id={id}>
      <AnchorLink to="/find" search={{ q: id }} size="sm">
        {id}
      </AnchorLink>
    </CopyableId>
  );
}
