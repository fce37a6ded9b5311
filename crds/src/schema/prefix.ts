import { String as Text } from 'typebox';
import type { Rule } from './node.ts';

/**
 * Segments that a store with a shorter prefix has below itself: its payloads' root and its expiry windows. And segments that some
 * services and tools resolve or change: `.`, `..` and those with control characters.
 */
const RESERVED = '(^|/)(blobs|expires-[^/]*|[.][.]?)/|\\p{Cc}';

/** Whether version 0.1 allowed the prefix, and this version does not. */
export function isReservedPrefix(prefix: string): boolean {
  return new RegExp(RESERVED, 'u').test(prefix);
}

const notReserved: Rule = {
  cel: `!self.matches(r'${RESERVED}')`,
  message:
    'no segment may be blobs, begin with expires-, be . or .., or have a control character: another store or tool would take it for its own',
  exception: 'allowReservedPrefix',
  holds: (prefix) => typeof prefix !== 'string' || !isReservedPrefix(prefix),
};

export const keyPrefix = () =>
  Text({
    description:
      'Put before the name of every object, so that a bucket may hold other things beside this store: empty, ' +
      'or path segments that each end with a slash, such as payloads/orders/; none of them blobs, expires-…, . or .. ' +
      'Cannot be changed later.',
    default: '',
    maxLength: 256,
    pattern: '^([^/]+/)*$',
    expected: 'nothing, or path segments that each end with a slash, such as payloads/',
    rules: [notReserved],
  });
