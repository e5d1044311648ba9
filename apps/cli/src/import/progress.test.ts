import { createProgress } from './progress.ts';

function screenOf(isTTY: boolean) {
  const written: string[] = [];
  let now = 1_000_000;
  const write = (text: string): boolean => written.push(text) > 0;
  const progress = createProgress({ isTTY, write }, () => now);
  return {
    ...progress,
    passMs: (ms: number): void => void (now += ms),
    /** What was written since the last time. */
    take: (): string => written.splice(0).join(''),
  };
}

const clear = '\r\u001b[K';

describe('on a terminal', () => {
  test('one line is rewritten; the next phase begins a new line', () => {
    const screen = screenOf(true);
    screen.at('customers', 100);
    screen.at('customers', 200);
    expect(screen.take()).toBe(`${clear}[ =  ] customers: 100${clear}[  = ] customers: 200`);
    screen.at('subscriptions', 3);
    expect(screen.take()).toBe(`\n${clear}[   =] subscriptions: 3`);
    screen.end();
    screen.end();
    expect(screen.take()).toBe('\n');
  });

  test('a message replaces the line, which appears again below it', () => {
    const screen = screenOf(true);
    screen.say('before anything moves');
    expect(screen.take()).toBe('before anything moves\n');
    screen.at('customers', 100);
    screen.say('Stripe does not answer');
    screen.at('customers', 200);
    screen.say('done');
    screen.end();
    expect(screen.take()).toBe(
      `${clear}[ =  ] customers: 100${clear}Stripe does not answer\n${clear}[  = ] customers: 200${clear}done\n`,
    );
  });
});

describe('elsewhere', () => {
  test('a phase is reported when it begins, then every ten seconds, without control characters', () => {
    const screen = screenOf(false);
    screen.at('customers', 100);
    screen.passMs(9_999);
    screen.at('customers', 200);
    expect(screen.take()).toBe('customers: 100\n');
    screen.passMs(1);
    screen.at('customers', 300);
    screen.at('subscriptions', 100);
    screen.say('Stripe does not answer');
    screen.end();
    expect(screen.take()).toBe('customers: 300\nsubscriptions: 100\nStripe does not answer\n');
  });
});

test('the rate is that of this run, though the count goes on from an earlier one', () => {
  const screen = screenOf(true);
  screen.at('customers', 50_100);
  expect(screen.take()).toContain('customers: 50100');
  screen.passMs(10_000);
  screen.at('customers', 52_100);
  expect(screen.take()).toContain('customers: 52100 (200/s)');
  screen.at('customers', 100);
  expect(screen.take()).toMatch(/customers: 100$/);
});
