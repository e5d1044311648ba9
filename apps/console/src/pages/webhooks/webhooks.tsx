import type { WebhookEndpointOut } from '@billing/domain';
import { useParams } from '@tanstack/react-router';
import { pathOf } from '../../api/address.ts';
import { useList } from '../../api/reads.ts';
import { ActionButton } from '../../parts/action.tsx';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { Lines } from '../../parts/lines.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Page } from '../../parts/page.tsx';
import { inWords, Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';
import { ProjectNav } from '../projects/project-nav.tsx';
import { createEndpoint } from './endpoint-actions.tsx';
import { AnchorLink } from '../../parts/router-links.tsx';

/** Where a product hears of changes. */
export function Webhooks() {
  const { projectId } = useParams({ from: '/projects/$projectId/webhooks' });
  const list = useList<WebhookEndpointOut>(pathOf`/api/v1/admin/projects/${projectId}/webhook-endpoints`);
  return (
    <Page
      title={`Webhooks of ${projectId}`}
      words="Where the product hears what its users may do."
      actions={<ActionButton action={createEndpoint(projectId)} variant="filled" />}
    >
      <ProjectNav projectId={projectId} />
      <ListTable
        name="Webhook endpoints"
        list={list}
        keyOf={({ endpoint_id: id }) => id}
        empty="The product has no endpoint: it learns of changes when it asks."
        columns={[
          {
            name: 'Endpoint',
            cell: ({ endpoint_id: endpointId }) => (
              <CopyableId id={endpointId}>
                <AnchorLink
                  to="/projects/$projectId/webhooks/$endpointId"
                  params={{ projectId, endpointId }}
                  size="sm"
                >
                  {endpointId}
                </AnchorLink>
              </CopyableId>
            ),
          },
          { name: 'Address', cell: ({ url }) => <span className="value">{url}</span> },
          {
            name: 'State',
            cell: ({ status, disabled_reason: why }) => (
              <Lines of={<Status of={status} />}>{why === null ? null : inWords(why)}</Lines>
            ),
          },
          {
            name: 'Last success',
            cell: ({ last_success_at: at, failing_since: since }) => (
              <Lines of={<Time at={at} none="never" />}>
                {since === null ? null : (
                  <>
                    failing since <Time at={since} withDistance />
                  </>
                )}
              </Lines>
            ),
          },
        ]}
      />
    </Page>
  );
}
