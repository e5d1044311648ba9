import type { WebhookAttemptOut } from '@billing/domain';
import { useParams } from '@tanstack/react-router';
import { pathOf } from '../../api/address.ts';
import { useRead } from '../../api/reads.ts';
import { ActionButton } from '../../parts/action.tsx';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { Facts } from '../../parts/facts.tsx';
import { Json } from '../../parts/json.tsx';
import { ProjectLink } from '../../parts/links.tsx';
import { Page, Section } from '../../parts/page.tsx';
import { Loaded } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { resendMessage } from './endpoint-actions.tsx';

type Message = {
  message_id: string;
  project_id: string;
  type: string;
  created_at: string;
  payload: unknown;
  attempts: WebhookAttemptOut[];
};

/** One message, with every try at every endpoint. */
export function WebhookMessage() {
  const { messageId } = useParams({ from: '/webhook-messages/$messageId' });
  const read = useRead<Message>(pathOf`/api/v1/admin/webhook-messages/${messageId}`);
  return (
    <Page
      title={`Message ${messageId}`}
      id={messageId}
      actions={read.data === undefined ? null : <ActionButton action={resendMessage(messageId)} />}
    >
      <Loaded read={read}>
        {(message) => (
          <>
            <Facts
              of={[
                ['Type', message.type],
                ['Project', <ProjectLink key="project" projectId={message.project_id} />],
                ['Made', <Time key="made" at={message.created_at} />],
              ]}
            />
            <Section title="Tries">
              <DataTable
                name="Tries"
                rows={message.attempts}
                keyOf={({ endpoint_id: id, at }) => `${id} ${at}`}
                empty="It was not tried yet."
                columns={[
                  { name: 'At', cell: ({ at }) => <Time at={at} /> },
                  { name: 'Endpoint', cell: ({ endpoint_id: id }) => <CopyableId id={id} /> },
                  { name: 'Answer', cell: ({ status, error }) => status ?? error ?? '–' },
                  { name: 'Took (ms)', cell: ({ duration_ms: ms }) => ms, isNumber: true },
                  {
                    name: 'What it said',
                    cell: ({ response }) => <span className="value">{response ?? '–'}</span>,
                  },
                ]}
              />
            </Section>
            <Section title="The body in its full form">
              <Json of={message.payload} name="Body" />
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  );
}
