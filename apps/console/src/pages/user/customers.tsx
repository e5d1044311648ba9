import type { UserOut } from '@billing/domain';
import { ActionButton } from '../../parts/action.tsx';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { Section } from '../../parts/page.tsx';
import { Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';
import { assignAction, moveCustomerAction } from './owner-actions.ts';
import type { UserKey } from './user-key.ts';

/** Stripe customers of the user, and what is the user's only by a hint. */
export function UserCustomers({ user, of }: { user: UserOut; of: UserKey }) {
  return (
    <>
      <Section title="Customers of Stripe">
        <DataTable
          name="Customers of Stripe"
          rows={user.customers}
          keyOf={({ stripe_customer_id: id }) => id}
          empty="No customer is mapped to the user."
          columns={[
            { name: 'Customer', cell: ({ stripe_customer_id: id }) => <CopyableId id={id} /> },
            { name: 'Mapped by', cell: ({ source }) => source },
            { name: 'Since', cell: ({ created_at: at }) => <Time at={at} /> },
            { name: 'Deleted at Stripe', cell: ({ deleted_at: at }) => <Time at={at} /> },
            {
              name: 'Actions',
              cell: ({ stripe_customer_id: id }) => <ActionButton action={moveCustomerAction(of, id)} />,
            },
          ]}
        />
      </Section>
      <Section title="Known only by what a buyer typed">
        <DataTable
          name="Known only by what a buyer typed"
          rows={user.buyer_hints}
          keyOf={({ source_id: id }) => id}
          empty="Nothing."
          columns={[
            { name: 'Object', cell: ({ source_id: id }) => <CopyableId id={id} /> },
            { name: 'Kind', cell: ({ source }) => source },
            { name: 'State', cell: ({ status }) => <Status of={status} /> },
            { name: 'Customer', cell: ({ stripe_customer_id: id }) => <CopyableId id={id} /> },
            { name: 'Since', cell: ({ created_at: at }) => <Time at={at} /> },
            { name: 'Actions', cell: ({ source_id: id }) => <ActionButton action={assignAction(of, id)} /> },
          ]}
        />
      </Section>
    </>
  );
}
