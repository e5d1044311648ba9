import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** As `npm run dev` sets them. */
const { CONSOLE_PORT: port = '5173', CONSOLE_API_URL: target = 'http://127.0.0.1:8000' } = process.env;

/** With the `Host` that the browser sent: the API compares it with the page's `Origin`. */
const api = { target, changeOrigin: false };

export default defineConfig({
  base: '/console/',
  plugins: [react()],
  // The API replaces it in each answer by a value of that answer.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    outDir: 'dist',
    target: 'es2022',
    // Data URLs would need another policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    license: { fileName: 'licenses.txt' },
  },
  server: {
    host: '127.0.0.1',
    port: Number(port),
    strictPort: true,
    proxy: { '/api': api, '/console/session': api, '/admin/queues': api, '/docs': api },
  },
});
