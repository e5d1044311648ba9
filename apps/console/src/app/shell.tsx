import { AppShell, Burger, Button, Dialog, Group, Menu, useMantineColorScheme } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { ActionHost } from '../parts/action-host.tsx';
import { FindBox } from './find-box.tsx';
import { Navigation } from './navigation.tsx';
import { useSession } from './session.tsx';
import type { Session } from './session.tsx';
import { AnchorLink } from '../parts/router-links.tsx';
import { Failure } from '../parts/states.tsx';

/** A menu item that signs out. Where that fails the session goes on, and the person has to know. */
function useSignOut() {
  const { signOut } = useSession();
  const [error, setError] = useState<unknown>(null);
  async function attempt(): Promise<void> {
    setError(null);
    await signOut().catch(setError);
  }
  const failure = (
    <Dialog
      opened={error !== null}
      role="dialog"
      aria-label="Not signed out"
      size="lg"
      transitionProps={{ duration: 0 }}
    >
      {error === null ? null : <Failure error={error} retry={() => void attempt()} />}
    </Dialog>
  );
  return { start: () => void attempt(), failure };
}

function Account() {
  const { session } = useSession();
  const { start, failure } = useSignOut();
  return (
    <>
      <AccountMenu session={session} signOut={start} />
      {failure}
    </>
  );
}

function AccountMenu({ session, signOut }: { session: Session; signOut: () => void }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Menu position="bottom-end" withinPortal={false} transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <Button
          variant="subtle"
          size="compact-md"
          className="account"
          aria-label={`Signed in as ${session.name}`}
        >
          {session.name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label c="dimmed">
          {session.role}
          {session.project_id === null ? '' : ` of ${session.project_id}`}
        </Menu.Label>
        {(['auto', 'light', 'dark'] as const).map((scheme) => (
          <Menu.Item
            key={scheme}
            onClick={() => setColorScheme(scheme)}
            aria-current={colorScheme === scheme ? 'true' : undefined}
          >
            {scheme === 'auto' ? 'Colours of the system' : `${scheme === 'light' ? 'Light' : 'Dark'} colours`}
            {colorScheme === scheme ? ' ✓' : ''}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={signOut}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** After a step to another page, reading goes on at its content. */
function useFocusOnMain() {
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current !== pathname) main.current?.focus({ preventScroll: true });
    shown.current = pathname;
  }, [pathname]);
  return main;
}

/** What surrounds every page. */
export function Shell() {
  const [isOpen, { toggle, close }] = useDisclosure(false);
  const main = useFocusOnMain();
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 190, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding="md"
      transitionDuration={0}
    >
      <a href="#main" className="skip">
        Skip to the content
      </a>
      <AppShell.Header px="sm">
        <Group h="100%" wrap="nowrap" justify="space-between" gap="xs">
          <Group wrap="nowrap" gap="xs">
            <Burger
              opened={isOpen}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label="Menu"
              aria-expanded={isOpen}
            />
            <AnchorLink to="/" className="brand" visibleFrom="xs">
              Billing
            </AnchorLink>
          </Group>
          <FindBox />
          <Account />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages" className="pages" data-open={isOpen}>
        <Navigation onGo={close} />
      </AppShell.Navbar>
      <AppShell.Main id="main" ref={main} tabIndex={-1}>
        <ActionHost>
          <Outlet />
        </ActionHost>
      </AppShell.Main>
    </AppShell>
  );
}
