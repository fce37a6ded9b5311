import { expect, test } from 'vitest';
import { limitAmong } from './memory-limit.ts';

const MACHINE = 16 * 2 ** 30;

test.each([
  ['a limit', 512 * 2 ** 20, 512 * 2 ** 20],
  ['none, where there is no control group', 0, undefined],
  ['none, on version 1', 2 ** 63 - 4_096, undefined],
  ['none, on version 2', 2 ** 64, undefined],
  ['more than the machine has', 2 * MACHINE, undefined],
])('a control group with %s', (_name, constrained, limit) => {
  expect(limitAmong(constrained, MACHINE)).toBe(limit);
});
