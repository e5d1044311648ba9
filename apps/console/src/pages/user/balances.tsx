import { Card, Progress, Stack, Text } from '@mantine/core';
import type { CheckOut, EntitlementOut, UserOut } from '@billing/domain';
import { pathOf } from '../../api/address.ts';
import { useRead } from '../../api/reads.ts';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { DataTable } from '../../parts/data-table.tsx';
import { Facts } from '../../parts/facts.tsx';
import { Lines } from '../../parts/lines.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { quantity } from '../../words/money.ts';
import { UsageSeriesOf } from '../usage/series.tsx';
import type { UserKey } from './user-key.ts';
import { AnchorLink } from '../../parts/router-links.tsx';

type Balance = NonNullable<CheckOut['balance']>;

function Buckets({ of }: { of: Balance['buckets'] }) {
  return (
    <DataTable
      name="Buckets, in the order in which they are used"
      rows={of}
      keyOf={({ source_id: id, period_start: start }) => `${id} ${start}`}
      columns={[
        {
          name: 'From',
          cell: ({ source, source_id: id }) => (
            <Lines of={source}>
              <CopyableId id={id} />
            </Lines>
          ),
        },
        { name: 'Period', cell: ({ period_start: start }) => <Time at={start} /> },
        { name: 'Ends', cell: ({ period_end: end }) => <Time at={end} none="no end" /> },
        { name: 'Granted', cell: ({ granted }) => quantity(granted), isNumber: true },
        { name: 'Used', cell: ({ used }) => quantity(used), isNumber: true },
        { name: 'Left', cell: ({ remaining }) => quantity(remaining), isNumber: true },
      ]}
    />
  );
}

function BalanceFacts({ of }: { of: Balance }) {
  const share = of.granted === null || of.granted === 0 ? null : Math.min(100, (of.used / of.granted) * 100);
  return (
    <Stack gap="xs">
      {share === null ? null : (
        <Progress.Root size="lg">
          <Progress.Section value={share} aria-label={`${Math.round(share)} % used`} />
        </Progress.Root>
      )}
      <Facts
        of={[
          ['Granted', quantity(of.granted)],
          ['Used', quantity(of.used)],
          ['Held by reservations', quantity(of.held)],
          ['Left', quantity(of.remaining)],
          ['Overage', quantity(of.overage)],
          ['New at', <Time key="resets" at={of.resets_at} />],
        ]}
      />
      {of.buckets.length === 0 ? null : <Buckets of={of.buckets} />}
    </Stack>
  );
}

function FeatureBalance({ code, isMetered, of }: { code: string; isMetered: boolean; of: UserKey }) {
  const read = useRead<CheckOut>(pathOf`/api/v1/admin/projects/${of.projectId}/usage/check`, {
    query: { user_id: of.userId, feature_code: code },
  });
  return (
    <Card withBorder padding="sm" component="article" aria-label={code}>
      <Text fw={600} ff="monospace">
        {code}
      </Text>
      <Loaded read={read}>
        {({ balance }) =>
          balance === null ? <Empty>Nothing is counted.</Empty> : <BalanceFacts of={balance} />
        }
      </Loaded>
      {isMetered ? <UsageSeriesOf of={{ ...of, code }} /> : null}
      <Text component="div" mt="xs">
        <AnchorLink
          to="/projects/$projectId/usage"
          params={{ projectId: of.projectId }}
          search={{ user_id: of.userId, feature_code: code }}
          size="sm"
        >
          All its usage
        </AnchorLink>
      </Text>
    </Card>
  );
}

const isCounted = ({ kind }: EntitlementOut): boolean => kind === 'metered' || kind === 'limit';

/** What is left of each allowance and limit. */
export function Balances({ user, of }: { user: UserOut; of: UserKey }) {
  const counted = user.entitlements.filter(isCounted);
  if (counted.length === 0) return <Empty>The user has no limit and no metered feature now.</Empty>;
  return (
    <Stack>
      {counted.map(({ feature_code: code, kind }) => (
        <FeatureBalance key={code} code={code} isMetered={kind === 'metered'} of={of} />
      ))}
    </Stack>
  );
}
