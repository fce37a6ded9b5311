import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';

/** Tests that replace or watch modules, which have to be loaded anew for them. */
const OF_MODULES = [
  'sidecar/src/bytes/check-by-tag.test.ts',
  'sidecar/src/drivers/filesystem/directory-sync.test.ts',
  'sidecar/src/retention/reaper-run.test.ts',
  'sidecar/src/roles/await-storage.test.ts',
];

export default defineConfig({
  ssr: { resolve: { conditions: ['largepayload-source', 'node'] } },
  test: {
    globalSetup: join(import.meta.dirname, 'testing/service/program-folder.ts'),
    // Only for what hangs: a busy machine is no failure.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Most of them wait for disks, timers and other processes.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['{codec,crds,sidecar,operator,testing,tools}/**/*.test.ts', 'e2e/*.test.ts'],
          exclude: [...configDefaults.exclude, '**/dist/**', ...OF_MODULES],
          // A process and its modules serve one file after the other: loading them took a third of the processor time.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'of modules', include: OF_MODULES } },
    ],
  },
});
