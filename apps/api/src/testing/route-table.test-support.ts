import type { Express, Router } from 'express';
import { mounts } from '../http/observe-requests.ts';

type Layer = {
  rawPath: unknown;
  route?: { path: unknown; methods: Record<string, boolean> };
  handle: unknown;
};

const described = new Set(['get', 'post', 'patch', 'delete', 'put']);

const isRouter = (handle: unknown): handle is Router & { stack: Layer[] } =>
  typeof handle === 'function' && 'stack' in handle && Array.isArray(handle.stack);

function collect(stack: readonly Layer[], prefix: string): string[] {
  return stack.flatMap((layer) => {
    if (layer.route !== undefined) {
      const paths = [layer.route.path].flat();
      const methods = Object.keys(layer.route.methods).filter((method) => described.has(method));
      // `all` stands behind a route for what it cannot do.
      if (Object.keys(layer.route.methods).length > described.size) return [];
      return paths.flatMap((path) => methods.map((method) => `${method} ${prefix}${String(path)}`));
    }
    if (!isRouter(layer.handle)) return [];
    const mount = String(layer.rawPath);
    // The queue screen is a program of its own behind one login.
    if (mount === mounts.queueScreen) return [`get ${mount}`];
    return collect(layer.handle.stack, mount === '/' ? prefix : prefix + mount);
  });
}

/** Every route that the app has, as `method /path/{parameter}`, walked out of Express's own table. */
export function routeTableOf(app: Express): string[] {
  const router: unknown = app.router;
  if (!isRouter(router)) throw new Error('the app has no route table');
  return collect(router.stack, '').map((route) => route.replaceAll(/:(\w+)/g, '{$1}'));
}
