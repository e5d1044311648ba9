import { Anchor, Group } from '@mantine/core';
import { Link, useLocation } from '@tanstack/react-router';

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
    <Group component="nav" gap="md" aria-label="Of this project">
      {parts.map(({ to, label }) => {
        const isHere = pathname === to.replace('$projectId', encodeURIComponent(projectId));
        return (
          <Anchor
            key={to}
            component={Link}
            to={to}
            params={{ projectId }}
            size="sm"
            fw={isHere ? 700 : 400}
            aria-current={isHere ? 'page' : undefined}
          >
            {label}
          </Anchor>
        );
      })}
      <Anchor component={Link} to="/sold" search={{ project_id: projectId }} size="sm">
        Sold
      </Anchor>
      <Anchor component={Link} to="/audit" search={{ project_id: projectId }} size="sm">
        Audit
      </Anchor>
    </Group>
  );
}
