import type { TimelineEntryOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import { useList } from '../../api/reads.ts';
import { CopyableId } from '../../parts/copyable-id.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { Filters, useFilters } from '../../parts/filters.tsx';
import { EventLink } from '../../parts/links.tsx';
import { Lines } from '../../parts/lines.tsx';
import { ListTable } from '../../parts/list.tsx';
import { inWords, Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';
import type { UserKey } from './user-key.ts';
import { AnchorLink } from '../../parts/router-links.tsx';

const kinds = ['stripe_event', 'grant', 'usage', 'webhook', 'audit'] as const;

function Subject({ of }: { of: TimelineEntryOut }) {
  if (of.kind === 'stripe_event') return <EventLink eventId={of.id} />;
  if (of.kind === 'webhook')
    return (
      <CopyableId id={of.id}>
        <AnchorLink to="/webhook-messages/$messageId" params={{ messageId: of.id }} size="sm">
          {of.id}
        </AnchorLink>
      </CopyableId>
    );
  return <CopyableId id={of.subject ?? of.id} />;
}

const columns: readonly Column<TimelineEntryOut>[] = [
  { name: 'When', cell: ({ at }) => <Time at={at} /> },
  {
    name: 'What',
    cell: ({ kind, action, quantity }) => (
      <Lines of={quantity === null ? action : `${action} ${quantity.toLocaleString()}`}>
        {inWords(kind)}
      </Lines>
    ),
  },
  { name: 'About', cell: (entry) => <Subject of={entry} /> },
  { name: 'Outcome', cell: ({ status }) => <Status of={status} /> },
  {
    name: 'Who and why',
    cell: ({ actor, reason }) => (
      <span className="value">{[actor, reason].filter((one) => one !== null).join(': ')}</span>
    ),
  },
];

/** All that happened to the user, newest first. */
export function Timeline({ of }: { of: UserKey }) {
  const { kind } = useFilters();
  const list = useList<TimelineEntryOut>(pathOf`/api/v1/admin/users/${of.projectId}/${of.userId}/timeline`, {
    query: { kind },
    isAudited: true,
  });
  return (
    <>
      <Filters of={[{ name: 'kind', label: 'Kind', options: kinds }]} />
      <ListTable
        name="Timeline"
        list={list}
        columns={columns}
        keyOf={(entry) => `${entry.at} ${entry.kind} ${entry.id} ${entry.action} ${entry.subject}`}
        empty="Nothing is known to have happened."
      />
    </>
  );
}
