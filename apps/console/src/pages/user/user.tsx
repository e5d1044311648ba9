import { Button, Stack, Text } from '@mantine/core';
import type { UserOut } from '@billing/domain';
import { useNavigate, useParams } from '@tanstack/react-router';
import { pathOf } from '../../api/address.ts';
import { ApiError } from '../../api/problem.ts';
import { useRead, useRefresh } from '../../api/reads.ts';
import { ActionButton } from '../../parts/action.tsx';
import { useFilters } from '../../parts/filters.tsx';
import { ProjectAnchor } from '../../parts/links.tsx';
import { Page } from '../../parts/page.tsx';
import { Loaded } from '../../parts/states.tsx';
import { PageTabs } from '../../parts/tabs.tsx';
import { Balances } from './balances.tsx';
import { UserCustomers } from './customers.tsx';
import { MayDoNow } from './may-do-now.tsx';
import { Timeline } from './timeline.tsx';
import { useUserActions } from './user-actions.ts';
import type { UserKey } from './user-key.ts';
import { Why } from './why.tsx';

/** Nobody has heard of the user: a grant or an assignment makes one. */
function Unknown({ userId }: UserKey) {
  return (
    <Text>
      Nobody has heard of {userId} in this project: no purchase, grant or customer names this user. Is the id
      written exactly as the product writes it? A grant works all the same.
    </Text>
  );
}

function Details({ user, of }: { user: UserOut; of: UserKey }) {
  const { tab = 'why' } = useFilters();
  const navigate = useNavigate();
  return (
    <Stack>
      <MayDoNow user={user} />
      <PageTabs
        shown={tab}
        onChange={(next) =>
          void navigate({ to: '.', search: { tab: next }, replace: true, resetScroll: false })
        }
        tabs={[
          ['why', 'Why', <Why key="why" user={user} of={of} />],
          ['timeline', 'Timeline', <Timeline key="timeline" of={of} />],
          ['usage', 'Usage', <Balances key="usage" user={user} of={of} />],
          ['customers', 'Customers', <UserCustomers key="customers" user={user} of={of} />],
        ]}
      />
    </Stack>
  );
}

/** What a user may do, and why. */
export function User() {
  const of = useParams({ from: '/users/$projectId/$userId' });
  const path = pathOf`/api/v1/admin/users/${of.projectId}/${of.userId}`;
  const read = useRead<UserOut>(path, { isAudited: true });
  const refresh = useRefresh(path);
  const actions = useUserActions(of);
  const isUnknown =
    read.error instanceof ApiError && read.error.code === 'user_not_found' && read.data === undefined;
  return (
    <Page
      title={`User ${of.userId}`}
      id={of.userId}
      words={
        <>
          of <ProjectAnchor projectId={of.projectId} />
        </>
      }
      actions={
        <>
          <Button variant="subtle" size="xs" onClick={refresh} aria-busy={read.isFetching}>
            {read.isFetching && read.data !== undefined ? 'Reading …' : 'Refresh'}
          </Button>
          {actions.map((action) => (
            <ActionButton
              key={action.label}
              action={action}
              variant={action === actions[0] ? 'filled' : 'default'}
            />
          ))}
        </>
      }
    >
      {isUnknown ? (
        <Unknown {...of} />
      ) : (
        <Loaded read={read}>{(user) => <Details user={user} of={of} />}</Loaded>
      )}
    </Page>
  );
}
