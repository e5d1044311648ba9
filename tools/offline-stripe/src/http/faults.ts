import type { Response } from 'express';
import { z } from 'zod';

const methods = z.array(z.enum(['GET', 'POST', 'DELETE']));
const count = z.number().int().min(1).max(1_000_000);
export const faultBody = z.discriminatedUnion('mode', [
  z.strictObject({
    mode: z.enum(['429', '500', 'none']),
    times: count.optional(),
    /** Only requests with these methods; absent: all. */
    methods: methods.optional(),
    /** Only paths that begin with this. */
    path: z.string().startsWith('/v1/').optional(),
  }),
  z.strictObject({
    mode: z.enum(['hang', 'reset', 'html', 'cut']),
    times: count.optional(),
    methods: methods.optional(),
    path: z.string().startsWith('/v1/').optional(),
    /** The request is carried out, and only its answer is lost; with `cut` it always is. */
    executed: z.boolean().optional(),
  }),
  z.strictObject({
    mode: z.literal('delay'),
    min_ms: z.number().int().min(0).max(60_000).default(0),
    max_ms: z.number().int().min(0).max(60_000),
    times: count.optional(),
    methods: methods.default(['GET']),
    path: z.string().startsWith('/v1/').optional(),
  }),
  /** Restricted keys (`rk_…`) lack a permission, named as Stripe names it; secret keys have all. */
  z.strictObject({
    mode: z.literal('permission'),
    permission: z.string().regex(/^rak_[a-z_]+$/),
    times: count.optional(),
    methods: methods.optional(),
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

type Broken = Extract<Fault, { mode: 'hang' | 'reset' | 'html' | 'cut' }>;

/** Whether the fault takes the answer away; the request may have been carried out all the same. */
export const isBroken = (fault: Fault | null): fault is Broken =>
  fault !== null &&
  (fault.mode === 'hang' || fault.mode === 'reset' || fault.mode === 'html' || fault.mode === 'cut');

export const isExecuted = ({ mode, executed }: Broken): boolean => mode === 'cut' || executed === true;

/**
 * `hang` answers nothing, `reset` closes the connection, `cut` does so in the middle of the answer, `html` shows the page of
 * a broken proxy.
 */
export function breakAnswer(response: Response, { mode }: Broken, body: string): void {
  if (mode === 'reset') response.socket?.resetAndDestroy();
  if (mode === 'cut') {
    response
      .status(200)
      .type('application/json')
      .set('content-length', String(Buffer.byteLength(body)));
    response.write(body.slice(0, Math.floor(body.length / 2)), () => response.destroy());
  }
  if (mode === 'html') {
    response
      .status(502)
      .type('html')
      .send('<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>');
  }
}
