import express, { type Request, type Response, type Router } from 'express';

import { errorBody, StripeApiError } from '../errors.ts';
import type { Control } from './define-control.ts';

/** The control calls, JSON in and out, without a key: they exist only here. */
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
