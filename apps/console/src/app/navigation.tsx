import { useLocation } from '@tanstack/react-router';
import { useSession } from './session.tsx';
import { NavigationLink } from '../parts/router-links.tsx';

/** `ofAll`: it is about all projects, so not for a name that is limited to one. */
const places = [
  { to: '/', label: 'Overview', ofAll: true },
  { to: '/find', label: 'Find' },
  { to: '/projects', label: 'Projects' },
  { to: '/sold', label: 'Sold' },
  { to: '/events', label: 'Events' },
  { to: '/quarantine', label: 'Quarantine' },
  { to: '/runs', label: 'Runs' },
  { to: '/audit', label: 'Audit' },
  { to: '/queues', label: 'Queues', ofAll: true },
  { to: '/access', label: 'Access', ofAll: true },
] as const;

export function Navigation({ onGo }: { onGo: () => void }) {
  const { session } = useSession();
  const { pathname } = useLocation();
  const shown = places.filter((place) => session.project_id === null || !('ofAll' in place));
  return (
    <>
      {shown.map(({ to, label }) => {
        const isHere = to === '/' ? pathname === '/' : pathname === to || pathname.startsWith(`${to}/`);
        return (
          <NavigationLink
            key={to}
            to={to}
            label={label}
            active={isHere}
            variant="light"
            aria-current={isHere ? 'page' : undefined}
            onClick={onGo}
          />
        );
      })}
    </>
  );
}
