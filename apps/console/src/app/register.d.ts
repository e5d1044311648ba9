import type { ConsoleRouter } from './router.tsx';

// How the router's types learn which addresses there are: `Link` and `useParams` are checked by it.
declare module '@tanstack/react-router' {
  interface Register {
    router: ConsoleRouter;
  }
}
