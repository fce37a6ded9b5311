import { String as Text } from 'typebox';
import type { Rule } from './node.ts';

/**
 * Segments that a store at a place above has below itself: its payloads' root and its expiry windows. Those that paths resolve
 * and control characters are told apart by some services and tools, and not by others.
 */
const RESERVED = '(^|/)(blobs|expires-[^/]*|[.][.]?)/|\\p{Cc}';

/** Whether a store of 0.1 may have such a prefix, and a new one may not. */
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
