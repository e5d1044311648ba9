import '@mantine/core/styles.css';
import './app/console.css';
import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { watchAttention } from './api/attention.ts';
import { queryClient } from './api/query-client.ts';
import { router } from './app/router.tsx';
import { SessionGate } from './app/session.tsx';
import { cssVariables, theme } from './app/theme.ts';

/** The nonce of this answer: without it the browser refuses the styles that are made here. */
const nonce = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? '';
// Of the library below Mantine's dialogs, which stops the page behind them from scrolling.
setNonce(nonce);

const root = document.querySelector('#root');
if (root === null) throw new Error('index.html has no element "root".');

watchAttention();
createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={queryClient}>
        <SessionGate>
          <RouterProvider router={router} />
        </SessionGate>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
