import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** where the first file of a run that needs the program builds it, for all */
    readonly programFolder: string;
  }
}

/** Vitest calls it before the first file of a run, and what it returns after the last. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'largepayload-program-'));
  project.provide('programFolder', folder);
  return () => rm(folder, { recursive: true, force: true });
}
