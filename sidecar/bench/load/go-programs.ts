import { join } from 'node:path';
import { goModulePrograms } from '@largepayload/testing/programs/go-module';

const MODULE = {
  name: 'bench',
  folder: join(import.meta.dirname, '../go'),
  expected: 'a minute on 2 cores',
};

/** Paths of our programs in Go. */
export interface BenchPrograms {
  readonly load: string;
  readonly peer: string;
}

/** The load client and the peer, built unless the cache has them already. @throws MissingProgramError without Go */
export async function benchPrograms(): Promise<BenchPrograms> {
  const folder = await goModulePrograms(MODULE, (line) => process.stderr.write(`\n${line}`));
  return { load: join(folder, 'load'), peer: join(folder, 'peer') };
}
