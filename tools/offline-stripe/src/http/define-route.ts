import type { z } from 'zod';

import type { World } from '../world.ts';
import { parseParams } from './params.ts';

/** One row of the route table. */
export type Route = {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  /** Answers with the object, or throws a StripeApiError. Never waits: what one request does is atomic. */
  run(world: World, id: string, raw: unknown): object;
};

/** Ties a path to its parameters' schema and the function that gets them parsed. */
export function defineRoute<Params>(
  name: `${'GET' | 'POST' | 'DELETE'} /v1/${string}`,
  schema: z.ZodType<Params>,
  run: (world: World, id: string, params: Params) => object,
): Route {
  const at = name.indexOf(' ');
  const verb = name.slice(0, at);
  return {
    method: verb === 'GET' ? 'GET' : verb === 'POST' ? 'POST' : 'DELETE',
    path: name.slice(at + 1),
    run: (world, id, raw) => run(world, id, parseParams(schema, raw)),
  };
}
