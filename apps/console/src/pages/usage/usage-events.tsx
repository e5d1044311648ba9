import type { UsageEventOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import { useList } from '../../api/reads.ts';
import { ActionButton } from '../../parts/action.tsx';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { Lines } from '../../parts/lines.tsx';
import { ListTable } from '../../parts/list.tsx';
import { Section } from '../../parts/page.tsx';
import { inWords, Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';
import { adjustAction } from '../user/access-actions.ts';
import type { UsageKey } from './series.tsx';

/** Each event of a user and feature, newest first. */
export function UsageEvents({ of }: { of: UsageKey }) {
  const list = useList<UsageEventOut>(pathOf`/api/v1/admin/projects/${of.projectId}/usage/events`, {
    query: { user_id: of.userId, feature_code: of.code },
  });
  return (
    <Section title="Events" actions={<ActionButton action={adjustAction(of, [of.code])} />}>
      <ListTable
        name="Usage events"
        list={list}
        keyOf={({ event_id: id, usage_seq: sequence }) => `${id} ${sequence}`}
        empty="Nothing was recorded."
        columns={[
          {
            name: 'When, recorded',
            cell: ({ timestamp: at, recorded_at: recorded }) => (
              <Lines of={<Time at={at} />}>
                <Time at={recorded} />
              </Lines>
            ),
          },
          { name: 'Event', cell: ({ event_id: id }) => <CopyableId id={id} /> },
          { name: 'Kind', cell: ({ kind }) => inWords(kind) },
          { name: 'Quantity', cell: ({ quantity }) => quantity.toLocaleString(), isNumber: true },
          { name: 'Given back', cell: ({ corrected }) => corrected.toLocaleString(), isNumber: true },
          {
            name: 'Taken, why',
            cell: ({ allowed, reason }) => (
              <Lines of={<Status of={allowed ? 'applied' : 'denied'} />}>{inWords(reason)}</Lines>
            ),
          },
        ]}
      />
    </Section>
  );
}
