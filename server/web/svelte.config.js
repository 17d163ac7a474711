import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

export default {
  preprocess: vitePreprocess(),
  compilerOptions: {
    runes: true,
    // The table is a grid, and cards on a phone: with `display` changed its roles must be written out.
    warningFilter: (warning) => warning.code !== 'a11y_no_redundant_roles',
  },
};
