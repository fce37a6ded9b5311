import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  ssr: { resolve: { conditions: ['largepayload-source', 'node'] } },
  test: {
    include: ['{codec,crds,sidecar,operator,testing,tools}/**/*.test.ts', 'e2e/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: join(import.meta.dirname, 'testing/service/program-folder.ts'),
    // Only for what hangs: a busy machine is no failure.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Most of them wait for disks, timers and other processes.
    maxWorkers: 3,
  },
});
