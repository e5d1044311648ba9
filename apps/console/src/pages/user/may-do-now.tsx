import type { EntitlementOut, UserOut } from '@billing/domain';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import type { Column } from '../../parts/data-table.tsx';
import { Lines } from '../../parts/lines.tsx';
import { Section } from '../../parts/page.tsx';
import { Time } from '../../parts/time.tsx';
import { quantity } from '../../words/money.ts';

function muchOf({ kind, limit, allowance, period_end: end }: EntitlementOut) {
  if (kind === 'limit') return quantity(limit);
  if (kind !== 'metered') return 'yes';
  if (end === null || end === undefined) return quantity(allowance);
  return (
    <Lines of={quantity(allowance)}>
      until <Time at={end} />
    </Lines>
  );
}

/** What gives it, with its id below, and whether that is sure. */
function From({ of: { source, source_id: id, confirmed } }: { of: EntitlementOut }) {
  return (
    <Lines of={source === 'manual' ? 'a grant' : `a ${source}`}>
      <CopyableId id={id} />
      {confirmed ? null : 'may be outdated: Stripe could not be asked'}
    </Lines>
  );
}

/** Narrow enough for 1280 px: what belongs together stands in one cell. */
const columns: readonly Column<EntitlementOut>[] = [
  { name: 'Feature', cell: ({ feature_code: code }) => <CopyableId id={code} /> },
  { name: 'How much', cell: muchOf },
  { name: 'Until', cell: ({ valid_to: to }) => <Time at={to} none="no end" withDistance /> },
  { name: 'From', cell: (entitlement) => <From of={entitlement} /> },
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
