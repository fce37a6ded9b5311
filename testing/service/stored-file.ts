import { join } from 'node:path';
import { decodeReference } from '@largepayload/codec';
import type { Payload } from '@temporalio/common';

/** The file of the payload that a reference stands for, in a store on that folder (docs/architecture.md). */
export function storedFile(dataFolder: string, reference: Payload): string {
  const decoded = decodeReference(reference);
  if (decoded.version !== 'v2') throw new Error('references of version 1 name no key');
  return join(dataFolder, decoded.key.replace(/\/(?=[^/]*$)/, '.'));
}
