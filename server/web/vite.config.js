import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { mockApi } from './dev/plugin.mjs';
import { sizeLimit } from './dev/size.mjs';

// `npm run dev` answers the API from the mock in dev/; with LINEWATCH_URL set it goes to a real server instead.
const server = process.env.LINEWATCH_URL;

export default defineConfig({
  plugins: [svelte(), server ? null : mockApi(), sizeLimit()],
  build: {
    target: 'es2022',
    // No inline script or style: the server's content security policy allows none.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  server: server ? { proxy: { '/api': { target: server, changeOrigin: true } } } : {},
  test: { include: ['src/**/*.test.ts', 'field/src/**/*.test.ts', 'dev/**/*.test.mjs'], environment: 'node' },
});
