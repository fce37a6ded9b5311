import { Integer, Object as MapOf, Optional, String as Text, Unsafe } from 'typebox';
import { isQuantity, parseQuantity, QUANTITY_IN_WORDS } from '../quantity.ts';
import type { Rule } from './node.ts';

/** Fields that appear in several places. They are functions, as the description depends on the place. */

export const bucketName = (description: string) => Text({ description, minLength: 3, maxLength: 222 });

export const url = (description: string) =>
  Text({
    description,
    maxLength: 256,
    pattern: '^https?://',
    expected: 'a URL that begins with http:// or https://',
  });

/** The name of a Kubernetes namespace. */
export const NAMESPACE_NAME = {
  pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$',
  expected: 'a DNS label: at most 63 lower-case letters, digits and hyphens',
};

export const resourceName = (description: string) => Text({ description, minLength: 1, maxLength: 253 });

export const secretReference = (description: string) =>
  MapOf({ name: resourceName('Name of the Secret, in the namespace of this resource.') }, { description });

export const secretKeyReference = (description: string) =>
  MapOf(
    {
      name: resourceName('Name of the Secret, in the namespace of this resource.'),
      key: resourceName('Key within the Secret whose value is used.'),
    },
    { description },
  );

/** CEL for the size in a field that may be a number or a text. */
const SIZE = 'quantity(string(self))';

/**
 * CEL for "looks like a size in bytes". Has to come first, as the API server takes minutes to read 1e999999999 as a quantity. Allows
 * no unit below one byte, and as many digits of an exponent as `parseQuantity` can use.
 */
const LOOKS_LIKE_SIZE =
  "string(self).matches('^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([KMGTPE]i|[kMGTPE]|[eE][+-]?0*[0-9]{1,2})?$')";

/** CEL for what `parseQuantity` reads: a whole number of bytes, not negative, that a JavaScript number holds. */
const IS_SIZE = [
  LOOKS_LIKE_SIZE,
  `${SIZE}.compareTo(quantity('0')) >= 0`,
  `${SIZE}.compareTo(quantity('${Number.MAX_SAFE_INTEGER}')) <= 0`,
  // The error of the approximation is much smaller.
  `${SIZE}.sub(int(${SIZE}.asApproximateFloat() + 0.25)).compareTo(quantity('0')) == 0`,
].join(' && ');

/** A size in bytes. */
export const byteSize = (
  description: string,
  { rules = [], ...fallback }: { readonly default?: number | string; readonly rules?: readonly Rule[] },
) =>
  Unsafe<number | string>({
    description,
    'x-kubernetes-int-or-string': true,
    ...fallback,
    maxLength: 20,
    rules: [{ cel: IS_SIZE, message: `expected ${QUANTITY_IN_WORDS}`, holds: isSizeOrNeither }, ...rules],
  });

/** Bounds of a size, both included. */
export function sizeWithin(smallest: string, largest: string): Rule {
  return {
    cel: `!${LOOKS_LIKE_SIZE} || (${SIZE}.compareTo(quantity('${smallest}')) >= 0 && ${SIZE}.compareTo(quantity('${largest}')) <= 0)`,
    message: `must lie between ${smallest} and ${largest}`,
    holds: (size) => {
      if (!isQuantity(size)) return true;
      const bytes = parseQuantity(size);
      return bytes >= parseQuantity(smallest) && bytes <= parseQuantity(largest);
    },
  };
}

const isSizeOrNeither = (value: unknown) =>
  (typeof value !== 'number' && typeof value !== 'string') || isQuantity(value);

const quantityMap = (description: string) =>
  Unsafe<Record<string, number | string>>({
    type: 'object',
    description,
    maxProperties: 8,
    additionalProperties: { 'x-kubernetes-int-or-string': true },
  });

export const computeResources = (description: string) =>
  MapOf(
    {
      requests: Optional(quantityMap('What the scheduler sets aside, such as cpu: 100m and memory: 128Mi.')),
      limits: Optional(quantityMap('What the container may use at most, such as memory: 512Mi.')),
    },
    { description },
  );

export const count32 = (description: string) => Integer({ description, format: 'int32' });

export const count64 = (description: string) => Integer({ description, format: 'int64' });

export const timestamp = (description: string) => Text({ description, format: 'date-time' });
