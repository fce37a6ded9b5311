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
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONG.some((name) => moduleId.endsWith(`/${name}`));
    return [...files.filter(isLong), ...files.filter((file) => !isLong(file))];
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
          exclude: [...configDefaults.exclude, 'cluster-faults/**'],
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
          include: ['cluster-faults/**/*.test.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
