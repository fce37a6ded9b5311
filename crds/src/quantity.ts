import { shown } from './message-parts.ts';

/** Describes a size in messages. */
export const QUANTITY_IN_WORDS = 'a size in bytes such as 128000, 512Ki, 1.5Gi or 2M';

const POWERS_OF_TWO = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 } as const;
const POWERS_OF_TEN = { k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 } as const;

/** Far above any safe integer, and small enough for fast exact arithmetic. */
const LONGEST_TEXT = 64;
const LARGEST_EXPONENT = 99;

const NUMBER =
  /^(?<sign>[+-]?)(?:(?<whole>[0-9]+)(?:\.(?<fraction>[0-9]*))?|\.(?<only>[0-9]+))(?<suffix>.*)$/;
const SUFFIX = /^(?:(?<two>[KMGTPE]i)|(?<ten>[kMGTPE])|[eE](?<exponent>[+-]?[0-9]+)|(?<small>[mun]))?$/;

/** A value that is no Kubernetes quantity, or no number of bytes. */
export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

/**
 * Reads a Kubernetes quantity as bytes: a number, or a text with a binary (`Ki`), decimal (`k`) or
 * exponent (`e3`) suffix. The arithmetic is exact.
 * @throws QuantityError for other texts, for negative sizes, for fractions of a byte (which Kubernetes itself
 * would round up) and for more bytes than a number holds exactly.
 */
export function parseQuantity(value: number | string): number {
  const fail = (why: string) => new QuantityError(`${shown(value)}: ${why}`);
  if (typeof value === 'number') return checkBytes(value, fail);
  if (value.length > LONGEST_TEXT) throw fail(`a size has at most ${LONGEST_TEXT} characters`);

  const number = NUMBER.exec(value)?.groups;
  const suffix = SUFFIX.exec(number?.suffix ?? '')?.groups;
  if (!number || !suffix) throw fail(`expected ${QUANTITY_IN_WORDS}`);
  if (suffix.small) throw fail('m, u and n count fractions of a byte');

  const fraction = number.fraction ?? number.only ?? '';
  const digits = BigInt((number.whole ?? '') + fraction);
  if (digits === 0n) return 0;
  if (number.sign === '-') throw fail('a size cannot be negative');

  const power = powerOfTen(suffix) - fraction.length;
  if (power > LARGEST_EXPONENT) throw fail('too large');
  const bits = suffix.two ? BigInt(POWERS_OF_TWO[suffix.two as keyof typeof POWERS_OF_TWO]) : 0n;
  // A negative power may be huge, and no number of digits allowed here survives it.
  const divisor = 10n ** BigInt(Math.min(Math.max(-power, 0), 2 * LARGEST_EXPONENT));
  const scaled = (digits << bits) * 10n ** BigInt(Math.max(power, 0));
  if (scaled % divisor !== 0n) throw fail('must be a whole number of bytes');
  return checkBytes(Number(scaled / divisor), fail);
}

/** Whether `parseQuantity` reads the value. */
export function isQuantity(value: unknown): value is number | string {
  if (typeof value !== 'number' && typeof value !== 'string') return false;
  try {
    parseQuantity(value);
    return true;
  } catch (error) {
    if (error instanceof QuantityError) return false;
    throw error;
  }
}

function powerOfTen(suffix: Record<string, string | undefined>): number {
  if (suffix.ten) return POWERS_OF_TEN[suffix.ten as keyof typeof POWERS_OF_TEN];
  return Number(suffix.exponent ?? 0);
}

function checkBytes(bytes: number, fail: (why: string) => QuantityError): number {
  if (bytes > Number.MAX_SAFE_INTEGER) throw fail('too large');
  if (!Number.isInteger(bytes)) throw fail('must be a whole number of bytes');
  if (bytes < 0) throw fail('a size cannot be negative');
  return bytes;
}
