import { pino } from 'pino';
import type { Driver } from '../../drivers/driver.ts';
import { ClockGuard } from './clock-guard.ts';
import { ClockKeeper } from './clock-keeper.ts';
import { ClockMemory } from './clock-memory.ts';
import { clockRules } from './clock-plausibility.ts';

/** Of a store of which nothing is known. */
export function clockGuardOf(driver: Driver, clockToleranceMs: number): ClockGuard {
  return new ClockGuard(driver, clockToleranceMs, emptyMemory(clockToleranceMs));
}

export function emptyMemory(clockToleranceMs: number): ClockMemory {
  const facts = { ttl: undefined, reaperInterval: 0, clockToleranceMs, storageHasClock: false };
  return new ClockMemory(clockRules(facts));
}

/** As of a process that has just begun the store in a folder. */
export function clockOfNewStore(driver: Driver): { clock: ClockGuard; clockKeeper: ClockKeeper } {
  const memory = emptyMemory(0);
  const clock = new ClockGuard(driver, 0, memory);
  const log = pino({ level: 'silent' });
  const clockKeeper = new ClockKeeper({ driver, clock, memory, log }, { mayWrite: true });
  clockKeeper.beginNew();
  return { clock, clockKeeper };
}
