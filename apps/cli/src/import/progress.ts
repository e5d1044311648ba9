import type { Progress } from '@billing/sync';

type Screen = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;

const frames = ['[=   ]', '[ =  ]', '[  = ]', '[   =]'];
const lineEveryMs = 10_000;
const clearLine = '\r\u001b[K';

/** Where this run began a phase: the rate shown is that of this run alone. */
type Pace = { phase: string; startedAt: number; doneBefore: number };

function paceOf({ startedAt, doneBefore }: Pace, done: number, now: number): string {
  const perSecond = Math.round(((done - doneBefore) * 1_000) / Math.max(1_000, now - startedAt));
  return done > 1_000 && perSecond > 0 ? ` (${perSecond}/s)` : '';
}

/**
 * Shows progress: on a terminal one line that is rewritten, elsewhere a line every ten seconds. Stripe does not
 * say how long its lists are, so there is no total.
 */
export function createProgress(screen: Screen, now: () => number = Date.now): Progress {
  let pace: Pace | null = null;
  let frame = 0;
  let lastLineAt = Number.NEGATIVE_INFINITY;
  let isLineOpen = false;

  function endLine(): void {
    if (isLineOpen) screen.write('\n');
    isLineOpen = false;
  }

  function show(text: string): void {
    if (screen.isTTY) {
      screen.write(`${clearLine}${frames[(frame += 1) % frames.length] ?? ''} ${text}`);
      isLineOpen = true;
    } else if (now() - lastLineAt >= lineEveryMs) {
      lastLineAt = now();
      screen.write(`${text}\n`);
    }
  }

  return {
    at: (phase, done) => {
      if (pace?.phase !== phase) {
        endLine();
        pace = { phase, startedAt: now(), doneBefore: done };
        lastLineAt = Number.NEGATIVE_INFINITY;
      }
      show(`${phase}: ${done}${paceOf(pace, done, now())}`);
    },
    say: (line) => {
      screen.write(`${isLineOpen ? clearLine : ''}${line}\n`);
      isLineOpen = false;
    },
    end: endLine,
  };
}
