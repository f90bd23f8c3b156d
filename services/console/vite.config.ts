import { fileURLToPath } from 'node:url';
import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

// biome-ignore lint/style/noDefaultExport: Vite takes its configuration from there
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [preact()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // Inlined pictures would make the stylesheet three times as big for icons that no page shows.
    assetsInlineLimit: 0,
    // The policy of contents allows no inline script, which the polyfill would be.
    modulePreload: { polyfill: false },
  },
});
