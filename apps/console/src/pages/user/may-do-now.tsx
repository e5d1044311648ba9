import type { EntitlementOut, UserOut } from '@billing/domain';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { Section } from '../../parts/page.tsx';
import { Time } from '../../parts/time.tsx';
import { quantity } from '../../words/money.ts';

function muchOf({ kind, limit, allowance, period_end: end }: EntitlementOut) {
  if (kind === 'limit') return quantity(limit);
  if (kind !== 'metered') return 'yes';
  return (
    <>
      {quantity(allowance)}
      {end === null || end === undefined ? null : (
        <>
          {' '}
          until <Time at={end} />
        </>
      )}
    </>
  );
}

const columns: readonly Column<EntitlementOut>[] = [
  { name: 'Feature', cell: ({ feature_code: code }) => <CopyableId id={code} /> },
  { name: 'How much', cell: muchOf },
  { name: 'Until', cell: ({ valid_to: to }) => <Time at={to} none="no end" withDistance /> },
  { name: 'From', cell: ({ source }) => (source === 'manual' ? 'a grant' : `a ${source}`) },
  { name: 'Source', cell: ({ source_id: id }) => <CopyableId id={id} /> },
  { name: 'Sure', cell: ({ confirmed }) => (confirmed ? 'yes' : 'Stripe could not be asked') },
];

/** What a check answers now. */
export function MayDoNow({ user }: { user: UserOut }) {
  return (
    <Section title="May do now">
      <DataTable
        name="What the user may do now"
        columns={columns}
        rows={user.entitlements}
        keyOf={({ feature_code: code }) => code}
        empty="Nothing. “Why” says what each source is worth, and why not more."
      />
    </Section>
  );
}
