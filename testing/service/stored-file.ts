import { join } from 'node:path';
import { decodeReference } from '@largepayload/codec';
import type { Payload } from '@temporalio/common';

/** Where a store on that folder keeps what the reference stands for (docs/architecture.md). */
export function storedFile(dataFolder: string, reference: Payload): string {
  const decoded = decodeReference(reference);
  if (decoded.version !== 'v2') throw new Error('references of version 1 name no key');
  return join(dataFolder, decoded.key.replace(/\/(?=[^/]*$)/, '.'));
}
