import type { RequestHandler, Router } from 'express';
import { methodNotAllowed } from './method-not-allowed.ts';

type Handlers = Partial<Record<'get' | 'post' | 'patch' | 'delete', RequestHandler | RequestHandler[]>>;

/** One address with what it can do; every other method is 405 with `Allow`. */
export function mountRoute(router: Router, path: string, handlers: Handlers): void {
  const route = router.route(path);
  const { get, post, patch, delete: remove } = handlers;
  if (get !== undefined) route.get(get);
  if (post !== undefined) route.post(post);
  if (patch !== undefined) route.patch(patch);
  if (remove !== undefined) route.delete(remove);
  route.all(methodNotAllowed(...Object.keys(handlers).map((method) => method.toUpperCase())));
}
