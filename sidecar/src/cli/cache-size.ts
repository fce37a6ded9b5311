import { parseQuantity } from '@largepayload/crds';
import { usage } from './command.ts';
import { UsageError } from './exit-codes.ts';

const SMALLEST = 2 ** 20;
const LARGEST = 16 * 2 ** 30;

/** Bytes, within the limits of `spec.gateway.cacheSize`. @throws UsageError */
export function parseCacheSize(text: string, option: string): number {
  const bytes = usage(() => parseQuantity(text), option);
  if (bytes >= SMALLEST && bytes <= LARGEST) return bytes;
  throw new UsageError(`${option} ${text}: must lie between 1Mi and 16Gi`);
}
