import { Group } from '@mantine/core';
import { useLocation } from '@tanstack/react-router';
import { AnchorLink } from '../../parts/router-links.tsx';

const parts = [
  { to: '/projects/$projectId', label: 'Settings and keys' },
  { to: '/projects/$projectId/catalog', label: 'Catalog' },
  { to: '/projects/$projectId/webhooks', label: 'Webhooks' },
  { to: '/projects/$projectId/usage', label: 'Usage' },
] as const;

/** The pages of one project. */
export function ProjectNav({ projectId }: { projectId: string }) {
  const { pathname } = useLocation();
  return (
    <nav aria-label="Of this project">
      <Group gap="md">
        {parts.map(({ to, label }) => {
          const isHere = pathname === to.replace('$projectId', encodeURIComponent(projectId));
          return (
            <AnchorLink
              key={to}
              to={to}
              params={{ projectId }}
              size="sm"
              fw={isHere ? 700 : 400}
              aria-current={isHere ? 'page' : undefined}
            >
              {label}
            </AnchorLink>
          );
        })}
        <AnchorLink to="/sold" search={{ project_id: projectId }} size="sm">
          Sold
        </AnchorLink>
        <AnchorLink to="/audit" search={{ project_id: projectId }} size="sm">
          Audit
        </AnchorLink>
      </Group>
    </nav>
  );
}
