import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** They wait minutes for an expiry or for the kubelet; begun last, they would be waited for alone. */
const LONG = ['quick-start.test.ts', 'claim.test.ts', 'credentials.test.ts'];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONG.some((name) => moduleId.endsWith(`/${name}`));
    return [...files.filter(isLong), ...files.filter((file) => !isLong(file))];
  }
}

/** Run where the cluster can be reached: `make e2e-kubernetes`. */
export default defineConfig({
  ssr: { resolve: { conditions: ['largepayload-source', 'node'] } },
  test: {
    root: import.meta.dirname,
    pool: 'forks',
    // Once, for both projects.
    globalSetup: 'global-setup.ts',
    testTimeout: 180_000,
    hookTimeout: 180_000,
    reporters: ['verbose'],
    sequence: { sequencer: LongFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['**/*.test.ts'],
          exclude: [...configDefaults.exclude, 'cluster-faults/**'],
          // They wait for the cluster most of the time.
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          // They stop, restart or measure what all tests share.
          name: 'alone',
          include: ['cluster-faults/**/*.test.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
