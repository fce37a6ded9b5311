import { isLoopback } from '@largepayload/codec/wire/loopback';
import { excerpt } from '../../errors/excerpt.ts';

export function isSecure(address: string): boolean {
  return URL.parse(address)?.protocol === 'https:';
}

/**
 * Plain HTTP is for loopback: laptops and tests.
 * @param mayBePlain whether this address may be of loopback
 * @throws Error for an address whose answers could be forged on the way
 */
export function assertSecure(address: string, what: string, mayBePlain = true): void {
  const url = URL.parse(address);
  if (isSecure(address) || (mayBePlain && url?.protocol === 'http:' && isLoopback(url.hostname))) return;
  throw new Error(`${what} ${excerpt(address)} does not begin with https://`);
}
