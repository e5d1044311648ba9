import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Same depth below the repository from `src` and from `dist`. */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const local = join(root, '.local');

export const paths = {
  root,
  local,
  logs: join(local, 'logs'),
  postgres: join(local, 'postgres'),
  redis: join(local, 'redis'),
  secrets: join(local, 'secrets.json'),
  demo: join(local, 'demo.json'),
  ports: join(local, 'ports.json'),
  stack: join(local, 'stack.json'),
  startPid: join(local, 'start.pid'),
  compileCache: join(local, 'compile-cache'),
  checkout: join(local, 'checkout.json'),
};
