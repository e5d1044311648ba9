import type { Progress } from './import-deps.ts';

type Screen = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;

const frames = ['[=   ]', '[ =  ]', '[  = ]', '[   =]'];
const lineEveryMs = 10_000;

/**
 * One line that grows, on a terminal; elsewhere a line now and then. Stripe does not say how long its lists
 * are, so the bar moves and counts, and promises no end.
 */
export function createProgress(screen: Screen, now: () => number = Date.now): Progress {
  let current = '';
  let frame = 0;
  let lastLineAt = 0;
  let startedAt = now();
  const clear = (): void => void (screen.isTTY && screen.write('\r\u001b[K'));
  const end = (): void => {
    if (current !== '') screen.write('\n');
    current = '';
  };
  return {
    at: (phase, done) => {
      if (phase !== current) {
        if (screen.isTTY) end();
        [current, startedAt, lastLineAt] = [phase, now(), 0];
      }
      const perSecond = Math.round(done / Math.max(1, (now() - startedAt) / 1_000));
      const text = `${phase}: ${done}${done > 1_000 ? ` (${perSecond}/s)` : ''}`;
      if (screen.isTTY) {
        clear();
        screen.write(`${frames[(frame += 1) % frames.length] ?? ''} ${text}`);
      } else if (now() - lastLineAt >= lineEveryMs) {
        lastLineAt = now();
        screen.write(`${text}\n`);
      }
    },
    say: (line) => {
      clear();
      screen.write(`${line}\n`);
    },
    end: () => {
      if (screen.isTTY) end();
    },
  };
}
