import { Card, Group, Stack, Text } from '@mantine/core';
import type { ExplanationOut, UserOut } from '@billing/domain';
import { ActionButton } from '../../parts/action.tsx';
import { CopyableId } from '../../parts/copyable-id.tsx';
import { EventLink } from '../../parts/links.tsx';
import { Empty } from '../../parts/states.tsx';
import { Status } from '../../parts/status.tsx';
import { Time } from '../../parts/time.tsx';
import { ownerWords, reasonHelp, reasonWords } from '../../words/reasons.ts';
import { replayMany, replayOne } from '../runs/run-actions.tsx';
import { revokeAction } from './access-actions.ts';
import { ExplainedItem } from './explained-item.tsx';
import type { UserKey } from './user-key.ts';
import { AnchorLink } from '../../parts/router-links.tsx';

const kindWords = {
  subscription: 'Subscription',
  purchase: 'Purchase',
  manual: 'Grant',
  default: 'Default product',
} as const;

type Source = { first: ExplanationOut; items: ExplanationOut[] };

/** Items of one source together; what is in force first. */
function bySource(explanation: readonly ExplanationOut[]): Source[] {
  const sources = new Map<string, Source>();
  for (const one of explanation) {
    const key = `${one.source} ${one.source_id}`;
    const known = sources.get(key);
    if (known === undefined) sources.set(key, { first: one, items: [one] });
    else known.items.push(one);
  }
  const inForce = ({ items }: Source): number => (items.some((item) => item.in_force) ? 0 : 1);
  return [...sources.values()].toSorted((a, b) => inForce(a) - inForce(b));
}

function Reason({ of }: { of: ExplanationOut }) {
  const help = reasonHelp[of.reason];
  return (
    <Text size="sm">
      {reasonWords[of.reason]}
      {help === undefined ? null : ` ${help}`}
    </Text>
  );
}

function SourceCard({ source: { first, items }, of }: { source: Source; of: UserKey }) {
  const isRevocable = first.source === 'manual' && first.reason !== 'revoked';
  const reasons = new Set(items.map(({ reason }) => reason));
  return (
    <Card
      withBorder
      padding="sm"
      component="article"
      aria-label={`${kindWords[first.source]} ${first.source_id}`}
    >
      <Stack gap="xs">
        <Group justify="space-between">
          <Group gap="xs">
            <Text fw={600}>{kindWords[first.source]}</Text>
            <CopyableId id={first.source_id} />
            <Status of={first.status} />
            <Status of={items.some((item) => item.in_force) ? 'in_force' : 'grants_nothing'} />
          </Group>
          {isRevocable ? <ActionButton action={revokeAction(first.source_id)} /> : null}
          {first.last_event === null ? null : (
            <Group gap="xs">
              <ActionButton
                action={replayOne(first.last_event.event_id)}
                label={`Replay ${first.last_event.event_id}`}
              />
              <ActionButton action={replayMany(first.source_id)} />
            </Group>
          )}
        </Group>
        {reasons.size === 1 ? <Reason of={first} /> : null}
        <Text size="sm" c="dimmed">
          From <Time at={first.valid_from} none="the beginning" /> to{' '}
          <Time at={first.valid_to} none="no end" withDistance />
          {first.owner_source === null || first.owner_source === undefined
            ? null
            : ` · known ${ownerWords[first.owner_source]}`}
          {first.confirmed ? null : ' · may be outdated: Stripe could not be asked'}
        </Text>
        <ul className="tree" aria-label="What it gives">
          {items.map((item) => (
            <ExplainedItem
              key={`${item.stripe_price_id} ${item.feature_codes.join(' ')}`}
              item={item}
              projectId={of.projectId}
              reason={reasons.size === 1 ? null : <Reason of={item} />}
            />
          ))}
        </ul>
        {first.last_event === null ? null : (
          <Group gap="xs">
            <Text size="sm" c="dimmed">
              Last event: {first.last_event.type}, <Time at={first.last_event.created} />
            </Text>
            <EventLink eventId={first.last_event.event_id} />
            <AnchorLink to="/events" search={{ object_id: first.source_id }} size="sm">
              all its events
            </AnchorLink>
          </Group>
        )}
      </Stack>
    </Card>
  );
}

/** Why the user may do what, source by source. */
export function Why({ user, of }: { user: UserOut; of: UserKey }) {
  if (user.explanation.length === 0)
    return (
      <Empty>The user has no subscription, purchase or grant, and the project no default product.</Empty>
    );
  return (
    <Stack gap="sm">
      {bySource(user.explanation).map((source) => (
        <SourceCard key={`${source.first.source} ${source.first.source_id}`} source={source} of={of} />
      ))}
    </Stack>
  );
}
