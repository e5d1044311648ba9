import { dayMs } from '@billing/domain';
import { unseenEvents } from './unseen-events.ts';

const now = Date.UTC(2026, 10, 28);
const ago = (days: number): number => now - days * dayMs;

it.each([
  { what: 'a fresh installation', sweptTo: null, reconciledAt: null, unseen: null },
  { what: 'swept a moment ago', sweptTo: ago(0), reconciledAt: null, unseen: null },
  { what: 'swept 30 days ago', sweptTo: ago(30), reconciledAt: null, unseen: null },
  { what: 'swept 31 days ago', sweptTo: ago(31), reconciledAt: null, unseen: { from: ago(31), to: ago(30) } },
  { what: 'covered since', sweptTo: ago(60), reconciledAt: ago(1), unseen: null },
  {
    what: 'covered, and away again',
    sweptTo: ago(90),
    reconciledAt: ago(40),
    unseen: { from: ago(40), to: ago(30) },
  },
])('$what', ({ sweptTo, reconciledAt, unseen }) => {
  expect(unseenEvents({ sweptTo, reconciledAt, now })).toEqual(unseen);
});
