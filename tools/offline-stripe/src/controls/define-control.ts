import { z } from 'zod';

import { invalid } from '../errors.ts';

/** One control call: a path under `/_offline`, the schema of its JSON body and what it does. */
export interface Control {
  method: 'GET' | 'POST';
  path: string;
  run(id: string, raw: unknown): object;
}

export function defineControl<Body>(
  name: `${'GET' | 'POST'} /_offline/${string}`,
  schema: z.ZodType<Body>,
  run: (id: string, body: Body) => object,
): Control {
  const at = name.indexOf(' ');
  return {
    method: name.startsWith('GET') ? 'GET' : 'POST',
    path: name.slice(at + 1),
    run: (id, raw) => {
      const parsed = schema.safeParse(raw ?? {});
      if (!parsed.success) throw invalid(z.prettifyError(parsed.error));
      return run(id, parsed.data);
    },
  };
}

export const nothing = z.looseObject({});
