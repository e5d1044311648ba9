import type { WebhookDeliveryOut, WebhookEndpointOut } from '@billing/domain';
import { useParams } from '@tanstack/react-router';
import { pathOf } from '../../api/address.ts';
import { useList, useRead } from '../../api/reads.ts';
import { ActionButton } from '../../parts/action.tsx';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { Facts } from '../../parts/facts.tsx';
import { Filters, useFilters } from '../../parts/filters.tsx';
import type { Filter } from '../../parts/filters.tsx';
import { UserLink } from '../../parts/links.tsx';
import { Lines } from '../../parts/lines.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Page, Section } from '../../parts/page.tsx';
import { Loaded } from '../../parts/states.tsx';
import { inWords, Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';
import { ProjectNav } from '../projects/project-nav.tsx';
import {
  backfillEndpoint,
  changeEndpoint,
  deleteEndpoint,
  pingEndpoint,
  rotateSecret,
  switchEndpoint,
} from './endpoint-actions.tsx';
import { AnchorLink } from '../../parts/router-links.tsx';

const filters: readonly Filter[] = [
  {
    name: 'status',
    label: 'State',
    options: ['pending', 'succeeded', 'failed', 'superseded', 'discarded'],
  },
  { name: 'user_id', label: 'User' },
  { name: 'type', label: 'Type' },
];

function Deliveries({ path, projectId }: { path: string; projectId: string }) {
  const { status, user_id: userId, type } = useFilters();
  const list = useList<WebhookDeliveryOut>(`${path}/deliveries`, {
    query: { status, user_id: userId, type },
  });
  return (
    <Section title="What was sent, and what waits">
      <Filters of={filters} />
      <ListTable
        name="Deliveries"
        list={list}
        keyOf={({ delivery_id: id }) => id}
        empty="Nothing is like this."
        columns={[
          { name: 'Made', cell: ({ created_at: at }) => <Time at={at} /> },
          {
            name: 'Message, type',
            cell: ({ message_id: messageId, type: of }) => (
              <Lines
                of={
                  <CopyableId id={messageId}>
                    <AnchorLink to="/webhook-messages/$messageId" params={{ messageId }} size="sm">
                      {messageId}
                    </AnchorLink>
                  </CopyableId>
                }
              >
                {of}
              </Lines>
            ),
          },
          { name: 'User', cell: ({ user_id: id }) => <UserLink projectId={projectId} userId={id} /> },
          {
            name: 'State, next try',
            cell: ({ status: of, next_try_at: at }) => (
              <Lines of={<Status of={of} />}>{at === null ? null : <Time at={at} withDistance />}</Lines>
            ),
          },
          { name: 'Tries', cell: ({ attempts }) => attempts, isNumber: true },
        ]}
      />
    </Section>
  );
}

function EndpointFacts({ of }: { of: WebhookEndpointOut }) {
  return (
    <Facts
      of={[
        ['Address', of.url],
        ['State', <Status key="state" of={of.status} />],
        ['Why disabled', of.disabled_reason === null ? null : inWords(of.disabled_reason)],
        ['What is sent', of.event_types.join(', ')],
        ['How much', of.payload],
        ['Which states', of.delivery],
        ['Last success', <Time key="success" at={of.last_success_at} none="never" />],
        ['Failing since', <Time key="failing" at={of.failing_since} withDistance />],
        ['Old secret until', <Time key="secret" at={of.previous_secret_until} />],
        ['Description', of.description],
      ]}
    />
  );
}

export function WebhookEndpoint() {
  const { projectId, endpointId } = useParams({ from: '/projects/$projectId/webhooks/$endpointId' });
  const path = pathOf`/api/v1/admin/projects/${projectId}/webhook-endpoints/${endpointId}`;
  const read = useRead<WebhookEndpointOut>(path);
  return (
    <Page
      title={`Endpoint ${endpointId}`}
      id={endpointId}
      actions={
        read.data === undefined ? null : (
          <>
            <ActionButton action={pingEndpoint(read.data)} />
            <ActionButton action={changeEndpoint(read.data)} />
            <ActionButton action={rotateSecret(read.data)} />
            <ActionButton action={backfillEndpoint(read.data)} />
            <ActionButton action={switchEndpoint(read.data)} />
            <ActionButton action={deleteEndpoint(read.data)} />
          </>
        )
      }
    >
      <ProjectNav projectId={projectId} />
      <Loaded read={read}>{(endpoint) => <EndpointFacts of={endpoint} />}</Loaded>
      <Deliveries path={path} projectId={projectId} />
    </Page>
  );
}
