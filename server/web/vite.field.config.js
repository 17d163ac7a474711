import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { fieldMock } from './dev/field/plugin.mjs';
import { FIELD_MAX, wholeLimit } from './dev/size.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

// The technician's page: the agent embeds what is built. `npm run dev:field` answers its API from the mock in dev/field; with
// LINEWATCH_AGENT_URL set it goes to a real agent instead.
const agent = process.env.LINEWATCH_AGENT_URL;

export default defineConfig({
  root: at('./field'),
  publicDir: at('./public'),
  plugins: [
    svelte({ configFile: at('./svelte.config.js') }),
    agent ? null : fieldMock(),
    wholeLimit('the field page', FIELD_MAX),
  ],
  build: {
    outDir: at('../../agent/page'),
    emptyOutDir: true,
    target: 'es2022',
    // No inline script or style: the agent's content security policy allows none.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  server: agent
    ? { proxy: { '/api': { target: agent, changeOrigin: true, headers: { origin: agent } } } }
    : {},
});
