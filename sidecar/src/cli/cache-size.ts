import { parseQuantity } from '@largepayload/crds/quantity';
import { usage } from './command.ts';
import { UsageError } from './exit-codes.ts';

const SMALLEST = 2 ** 20;
const LARGEST = 16 * 2 ** 30;

/** Bytes, within the limits of `spec.gateway.cacheSize`; 0: no cache. @throws UsageError */
export function parseCacheSize(text: string, option: string): number {
  const bytes = usage(() => parseQuantity(text), option);
  if (bytes === 0) return 0;
  if (bytes >= SMALLEST && bytes <= LARGEST) return bytes;
  throw new UsageError(`${option} ${text}: must be 0, or lie between 1Mi and 16Gi`);
}
