import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type Reporter, type TestSpecification } from 'vitest/node';
import { printTable } from './fixtures/table.fixture.ts';

/** Test files that wait minutes for an expiry or for the kubelet. They start first, so that the others run meanwhile. */
const LONG = [
  'authority-rotation.test.ts',
  'quick-start.test.ts',
  'claim.test.ts',
  'gateways-away.test.ts',
  'controllers.test.ts',
  'missing-store.test.ts',
  'credentials.test.ts',
  'whole.test.ts',
];

/** It waits for what `whole.test.ts` has stored to expire. */
const LAST = 'reaped.test.ts';

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const is = ({ moduleId }: TestSpecification, name: string) => moduleId.endsWith(`/${name}`);
    const rank = (file: TestSpecification) =>
      LONG.some((name) => is(file, name)) ? 0 : is(file, LAST) ? 2 : 1;
    return files.toSorted((one, other) => rank(one) - rank(other));
  }
}

/** It reports before the other, so that failures are the last that a reader sees. */
const table: Reporter = { onTestRunEnd: () => printTable((line) => console.log(line)) };

/** Run it in the cluster's network: `make e2e-kubernetes`. */
export default defineConfig({
  ssr: { resolve: { conditions: ['largepayload-source', 'node'] } },
  test: {
    root: import.meta.dirname,
    pool: 'forks',
    // It runs once for both projects.
    globalSetup: 'global-setup.ts',
    // Against hangs only: the machine may be busy.
    testTimeout: 420_000,
    hookTimeout: 240_000,
    reporters: [table, 'verbose'],
    sequence: { sequencer: LongFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['**/*.test.ts'],
          exclude: [...configDefaults.exclude, 'cluster-faults/**', 'whole/**'],
          // These tests mostly wait for the cluster.
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          // These tests stop, restart or measure the operator or the API server, which all tests share.
          name: 'alone',
          include: ['{cluster-faults,whole}/**/*.test.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
