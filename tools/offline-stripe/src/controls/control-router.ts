import express, { type Request, type Response, type Router } from 'express';
import { z } from 'zod';

import { errorBody, invalid, StripeApiError } from '../errors.ts';

/** One control call: a path under `/_offline`, the schema of its JSON body and what it does. */
export type Control = {
  method: 'GET' | 'POST';
  path: string;
  run(id: string, raw: unknown): object;
};

export const nothing = z.looseObject({});

export function defineControl<Body>(
  name: `${'GET' | 'POST'} /_offline/${string}`,
  schema: z.ZodType<Body>,
  run: (id: string, body: Body) => object,
): Control {
  return {
    method: name.startsWith('GET') ? 'GET' : 'POST',
    path: name.slice(name.indexOf(' ') + 1),
    run: (id, raw) => {
      const parsed = schema.safeParse(raw ?? {});
      if (!parsed.success) throw invalid(z.prettifyError(parsed.error));
      return run(id, parsed.data);
    },
  };
}

/** Serves the controls: JSON in and out, without a key. */
export function createControlRouter(controls: readonly Control[], afterChange: () => void): Router {
  const router = express.Router();
  router.use('/_offline', express.json(), express.urlencoded({ extended: false }));
  for (const control of controls) {
    const handler = (request: Request, response: Response): void => {
      const id = request.params['id'];
      try {
        const body: unknown = request.body;
        const answer = control.run(typeof id === 'string' ? id : '', body);
        afterChange();
        response.json(answer);
      } catch (error) {
        if (!(error instanceof StripeApiError)) throw error;
        response.status(error.status).json(errorBody(error, 'req_offline'));
      }
    };
    if (control.method === 'GET') router.get(control.path, handler);
    else router.post(control.path, handler);
  }
  router.use('/_offline', (request: Request, response: Response) => {
    response.status(404).json({
      error: {
        message: `No such control: ${request.method} ${request.originalUrl}`,
        type: 'invalid_request_error',
      },
    });
  });
  return router;
}
