import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Of the API that `npm run dev` starts. */
const api = process.env['CONSOLE_API_URL'] ?? 'http://127.0.0.1:8000';

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
    license: { fileName: 'licenses.md' },
  },
  server: {
    host: '127.0.0.1',
    strictPort: true,
    proxy: { '/api': api, '/console/session': api, '/admin/queues': api, '/docs': api },
  },
});
