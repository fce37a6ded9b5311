import { dirname } from 'node:path';
import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../vitest.config.ts';

/** Tests on a real API server, which is built from its sources: `*.e2e.ts`, beside what they test. */
export default mergeConfig(
  { ...base, test: { ...base.test, include: [] } },
  defineConfig({
    test: {
      root: dirname(import.meta.dirname),
      include: ['{crds,operator}/src/**/*.e2e.ts'],
      // Each starts an API server of its own, and mostly waits.
      maxWorkers: 2,
      reporters: ['verbose'],
    },
  }),
);
