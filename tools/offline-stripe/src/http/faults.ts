import type { Response } from 'express';
import { z } from 'zod';

const count = z.number().int().min(1).max(1_000_000);
export const faultBody = z.discriminatedUnion('mode', [
  z.strictObject({
    mode: z.enum(['429', '500', 'hang', 'reset', 'html', 'none']),
    times: count.optional(),
    /** Only requests with these methods; absent: all. */
    methods: z.array(z.enum(['GET', 'POST', 'DELETE'])).optional(),
    /** Only paths that begin with this. */
    path: z.string().startsWith('/v1/').optional(),
  }),
  z.strictObject({
    mode: z.literal('delay'),
    min_ms: z.number().int().min(0).max(60_000).default(0),
    max_ms: z.number().int().min(0).max(60_000),
    times: count.optional(),
    methods: z.array(z.enum(['GET', 'POST', 'DELETE'])).default(['GET']),
    path: z.string().startsWith('/v1/').optional(),
  }),
]);
export type Fault = z.infer<typeof faultBody>;

export type Faults = {
  set(fault: Fault): void;
  current(): Fault;
  /** The fault that hits this request, counted down. */
  take(method: string, path: string): Fault | null;
};

export function createFaults(): Faults {
  let fault: Fault = { mode: 'none' };
  let left = 0;
  return {
    set: (next) => {
      fault = next;
      left = next.times ?? Number.POSITIVE_INFINITY;
    },
    current: () => fault,
    take: (method, path) => {
      if (fault.mode === 'none' || left <= 0) return null;
      const isMethodHit = fault.methods === undefined || fault.methods.some((one) => one === method);
      if (!isMethodHit || !path.startsWith(fault.path ?? '/v1/')) return null;
      left -= 1;
      const hit = fault;
      if (left <= 0) fault = { mode: 'none' };
      return hit;
    },
  };
}

/** `hang` answers nothing, `reset` closes the connection, `html` shows the page of a broken proxy. */
export function breakAnswer(response: Response, mode: 'hang' | 'reset' | 'html'): void {
  if (mode === 'reset') response.socket?.resetAndDestroy();
  if (mode === 'html') {
    response
      .status(502)
      .type('html')
      .send('<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>');
  }
}
