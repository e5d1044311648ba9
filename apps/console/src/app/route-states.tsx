import { Text } from '@mantine/core';
import { Page } from '../parts/page.tsx';
import { Failure } from '../parts/states.tsx';

export function NotFound() {
  return (
    <Page title="No such page">
      <Text>The address leads nowhere. Press / to find a user, an object of Stripe, an event or a key.</Text>
    </Page>
  );
}

export function RouteFailure({ error, reset }: { error: unknown; reset: () => void }) {
  return (
    <Page title="This page failed">
      <Failure error={error} retry={reset} />
    </Page>
  );
}
