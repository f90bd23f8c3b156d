import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/bench/**', 'tests/chaos/**', '**/node_modules/**'],
    pool: 'forks',
    globals: false,
    // One embedded PostgreSQL and two cores are what a small CI machine has.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    globalSetup: ['tests/support/global-setup.ts'],
  },
});
