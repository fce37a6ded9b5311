import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: ['largepayload-source', 'node'] } },
  test: {
    include: ['{codec,crds,sidecar,operator}/**/*.test.ts', 'e2e/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Most of them wait for disks, timers and other processes.
    maxWorkers: 2,
  },
});
