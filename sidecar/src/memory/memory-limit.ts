import { totalmem } from 'node:os';

/** Of the memory that the control group of this process may use, or `undefined` where nothing limits it but the machine. Bytes. */
export function memoryLimit(): number | undefined {
  return limitAmong(process.constrainedMemory(), totalmem());
}

/**
 * A control group without a limit has 0, or more than any machine has (2^63 less a page on version 1, 2^64 on version 2).
 * @param constrained the result of `process.constrainedMemory()`
 */
export function limitAmong(constrained: number, machine: number): number | undefined {
  return constrained > 0 && constrained < machine ? constrained : undefined;
}
