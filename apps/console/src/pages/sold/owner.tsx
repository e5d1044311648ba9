import type { SoldSubscriptionOut } from '@billing/domain';
import { Lines } from '../../parts/lines.tsx';
import { ProjectLink, UserLink } from '../../parts/links.tsx';

/** Whose something is: the user, with the project below. */
export function Owner({ of }: { of: Pick<SoldSubscriptionOut, 'project_id' | 'user_id'> }) {
  const { project_id: projectId, user_id: userId } = of;
  return (
    <Lines of={<UserLink projectId={projectId} userId={userId} />}>
      <ProjectLink projectId={projectId} />
    </Lines>
  );
}
