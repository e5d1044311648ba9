import * as fc from 'fast-check';
import type { Expected, Story } from '../stories/story.ts';
import { createLife } from './life.ts';
import type { Life, Ownership } from './life.ts';
import type { Shape, StripeObject } from './stripe-objects.ts';

/** How the events' `created` are set: as in the story, with some equal, or all in one second. */
type Spacing = 'story' | 'some equal' | 'all equal';

/** How Stripe responds to lookups: with objects, with 404, or not at all at first. */
type Stripe = 'answers' | 'missing' | 'away, then back';

/** One delivery: which event, and whether the next delivery waits for it. */
export type Delivery = { index: number; isAwaited: boolean };

/** A trial without its order of arrival: all trials of one setting end in the same state. */
export type Setting = {
  story: Story;
  ownership: Ownership;
  shape: Shape;
  spacing: Spacing;
  /** With `some equal`: a bit mask of the neighbours that do not share a second. */
  gaps: number;
  stripe: Stripe;
};

/** A setting, and how its events arrive. */
export type Trial = Setting & {
  deliveries: Delivery[];
  /** True: Stripe answers with the end of the story. False: with the state at the newest delivered event. */
  isStripeAhead: boolean;
};

export type StripeEvent = { id: string; type: string; created: number; data: { object: StripeObject } };

export type Played = { life: Life; events: StripeEvent[]; expected: Expected };

/** Event ids not in the order of time, so that a tie cannot be decided correctly by luck. */
const scrambled = (index: number): string => String((index * 37 + 11) % 101).padStart(3, '0');

/** Events are later than anything in the story: none arrives before what it reports. */
const emissionDelayS = 60;

function createdOf({ spacing, gaps }: Setting, life: Life): number[] {
  const all = life.events;
  const last = life.now() + emissionDelayS;
  if (spacing === 'all equal') return all.map(() => last);
  if (spacing === 'story')
    return all.map(({ at }, index) => at + all.slice(0, index).filter((one) => one.at === at).length);
  let created = last;
  const reversed = all.map((_, index) => {
    if (index > 0) created -= (gaps >> (index % 6)) & 1;
    return created;
  });
  return reversed.reverse();
}

/** Plays a story for one run: its life and its events, as Stripe delivers them. */
export function play(setting: Setting, run: string): Played {
  const life = createLife({ run, ownership: setting.ownership, shape: setting.shape });
  const expected = setting.story.play(life);
  const created = createdOf(setting, life);
  life.dateObjects(created);
  const events = life.events.map(({ type, object }, index) => ({
    id: `evt_${run}_${scrambled(index)}`,
    object: 'event',
    api_version: setting.shape === 'old' ? '2025-02-24.acacia' : '2026-10-28.endive',
    created: created[index] ?? life.now(),
    livemode: false,
    type,
    data: { object },
  }));
  return { life, events, expected };
}

export const inOrder = (count: number): Delivery[] =>
  Array.from({ length: count }, (_, index) => ({ index, isAwaited: true }));

/** Equal for settings with the same canonical end state. */
export const settingKey = ({ story, ownership, shape, spacing, gaps, stripe }: Setting): string =>
  [story.name, ownership, shape, spacing, spacing === 'some equal' ? gaps : 0, stripe].join(' | ');

/** What the story cannot be told in is replaced. */
const possible = (setting: Setting): Setting => ({
  ...setting,
  shape: setting.story.hasMixedIntervals === true ? 'pinned' : setting.shape,
  stripe:
    setting.story.losesWithoutStripe === true && setting.stripe === 'missing' ? 'answers' : setting.stripe,
});

const settingsOf = (stories: readonly Story[]): fc.Arbitrary<Setting> => anySettingOf(stories).map(possible);

const anySettingOf = (stories: readonly Story[]): fc.Arbitrary<Setting> =>
  fc.record({
    story: fc.constantFrom(...stories),
    ownership: fc.constantFrom<Ownership>('mapped', 'mapped', 'metadata', 'mapped_late', 'linked'),
    shape: fc.constantFrom<Shape>('pinned', 'pinned', 'old'),
    spacing: fc.constantFrom<Spacing>('story', 'some equal', 'all equal'),
    gaps: fc.constantFrom(0b101101, 0b010010),
    stripe: fc.constantFrom<Stripe>('answers', 'answers', 'missing', 'away, then back'),
  });

function readable(trial: Trial): string {
  const { events } = play(trial, 'RUN');
  const line = ({ index, isAwaited }: Delivery): string => {
    const event = events[index];
    const status = JSON.stringify(event?.data.object['status'] ?? null);
    return `  #${index} ${event?.created} ${event?.type} ${event?.data.object.id} status ${status} (${event?.id})${isAwaited ? '' : ' not awaited'}`;
  };
  const timeline = events.map((_, index) => line({ index, isAwaited: true })).join('\n');
  const arrival = trial.deliveries.map(line).join('\n');
  const ahead = trial.isStripeAhead ? ', Stripe answers with the end of the story' : '';
  return `${settingKey(trial)}${ahead}\nas it happened:\n${timeline}\nas it arrived:\n${arrival}`;
}

/** A story, its setting, and any order of its events with some of them twice. */
export const trialsOf = (stories: readonly Story[]): fc.Arbitrary<Trial> =>
  settingsOf(stories)
    .chain((setting) => {
      const count = play(setting, 'RUN').events.length;
      const total = count + Math.ceil(count / 4);
      const twice = fc.array(fc.nat(count - 1), { minLength: total - count, maxLength: total - count });
      const order = fc.shuffledSubarray([...Array(total).keys()], { minLength: total, maxLength: total });
      const pauses = fc.array(fc.nat(9), { minLength: total, maxLength: total });
      return fc.record({
        setting: fc.constant(setting),
        twice,
        order,
        pauses,
        isStripeAhead: fc.boolean(),
      });
    })
    .map(({ setting, twice, order, pauses, isStripeAhead }): Trial => {
      const count = order.length - twice.length;
      const deliveries = order.map((place, at) => ({
        index: place < count ? place : (twice[place - count] ?? 0),
        isAwaited: (pauses[at] ?? 0) > 2,
      }));
      const trial = { ...setting, deliveries, isStripeAhead };
      const printable = { ...trial, [fc.toStringMethod]: () => readable(trial) };
      return printable;
    });
