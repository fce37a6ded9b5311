import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../vitest.config.ts';

/** Tests on servers that are built from their sources: `*.e2e.ts`, beside what they test. */
export default mergeConfig(
  { ...base, test: { ...base.test, projects: undefined } },
  defineConfig({
    test: { root: import.meta.dirname, include: ['{src,bench}/**/*.e2e.ts'], reporters: ['verbose'] },
  }),
);
