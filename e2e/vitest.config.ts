import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The table at the end has the same order each time. */
class AlphabeticalSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((one, other) => (one.moduleId < other.moduleId ? -1 : 1));
  }
}

export default defineConfig({
  // Node gets these as --conditions, so that none may be one of import and require.
  ssr: { resolve: { conditions: ['largepayload-source', 'node'] } },
  test: {
    root: import.meta.dirname,
    pool: 'forks',
    maxConcurrency: 20,
    // One after the other: they measure, and they share two cores with a Temporal server.
    fileParallelism: false,
    sequence: { sequencer: AlphabeticalSequencer },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    reporters: ['verbose'],
    projects: [
      {
        extends: true,
        test: {
          name: 'faults-short',
          include: ['faults/short/**/*.test.ts', '../testing/fault-proxy/**/*.e2e.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'faults-long',
          include: ['faults/long/**/*.test.ts'],
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: { name: 'cluster', include: ['cluster/**/*.test.ts'], sequence: { groupOrder: 4 } },
      },
      {
        extends: true,
        test: {
          name: 'temporal',
          include: ['temporal/**/*.test.ts'],
          // Only for these tests is a Temporal server started.
          globalSetup: 'temporal/global-setup.ts',
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
