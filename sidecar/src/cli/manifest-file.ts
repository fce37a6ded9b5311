import { readFile } from 'node:fs/promises';
import { type LargePayloadStore, type Leniency, parseLargePayloadStore } from '@largepayload/crds';
import { UsageError } from './exit-codes.ts';

/** The manifest that `--config` names. @throws UsageError when it cannot be read, ManifestError when it is not valid */
export async function readManifest(file: string, leniency: Leniency = {}): Promise<LargePayloadStore> {
  const content = await readFile(file, 'utf8').catch((error) =>
    Promise.reject(new UsageError(`cannot read the configuration ${file}: ${error.message}`)),
  );
  return parseLargePayloadStore(content, file, leniency);
}
