import { decideTry, readRetryAfter } from './decide-try.ts';

const endedAt = Date.parse('2026-11-22T10:00:00Z');
const ended = {
  status: 500,
  retryAfter: null,
  triesBefore: 0,
  isResend: false,
  endedAt,
  scheduleMs: [0, 5_000, 300_000],
  random: 0.5,
};

test.each([
  [{ status: 200 }, { outcome: 'succeeded' }],
  [{ status: 299 }, { outcome: 'succeeded' }],
  [{ status: 199 }, { outcome: 'retrying', waitMs: 5_000 }],
  [{ status: 302 }, { outcome: 'retrying', waitMs: 5_000 }],
  [{ status: 410 }, { outcome: 'retrying', waitMs: 5_000 }],
  [{ status: null }, { outcome: 'retrying', waitMs: 5_000 }],
  [{ random: 0 }, { outcome: 'retrying', waitMs: 4_000 }],
  [{ random: 1 }, { outcome: 'retrying', waitMs: 6_000 }],
  [{ triesBefore: 1 }, { outcome: 'retrying', waitMs: 300_000 }],
  [{ triesBefore: 2 }, { outcome: 'failed' }],
  [{ isResend: true }, { outcome: 'failed' }],
  [{ isResend: true, status: 204 }, { outcome: 'succeeded' }],
  [{ scheduleMs: [0] }, { outcome: 'failed' }],
  [
    { status: 503, retryAfter: '60' },
    { outcome: 'retrying', waitMs: 60_000 },
  ],
  [
    { status: 429, retryAfter: '60' },
    { outcome: 'retrying', waitMs: 60_000 },
  ],
  [
    { status: 429, retryAfter: '1' },
    { outcome: 'retrying', waitMs: 5_000 },
  ],
  [
    { status: 500, retryAfter: '60' },
    { outcome: 'retrying', waitMs: 5_000 },
  ],
  [
    { status: 503, retryAfter: '86401' },
    { outcome: 'retrying', waitMs: 5_000 },
  ],
  [{ status: 503, retryAfter: '60', triesBefore: 2 }, { outcome: 'failed' }],
] as const)('a try %p is %p', (change, decided) => {
  expect(decideTry({ ...ended, ...change })).toEqual(decided);
});

test.each([
  ['120', 120_000],
  [' 120 ', 120_000],
  ['86400', 86_400_000],
  ['86401', 0],
  ['0', 0],
  ['-5', 0],
  ['1.5', 0],
  ['soon', 0],
  ['', 0],
  [null, 0],
  ['Sun, 22 Nov 2026 10:01:00 GMT', 60_000],
  ['Sun, 22 Nov 2026 09:59:00 GMT', 0],
  ['Mon, 23 Nov 2026 10:00:01 GMT', 0],
  ['2026-11-22T10:01:00Z', 0],
])('Retry-After %p asks for %p ms', (header, waitMs) => {
  expect(readRetryAfter(header, endedAt)).toBe(waitMs);
});
