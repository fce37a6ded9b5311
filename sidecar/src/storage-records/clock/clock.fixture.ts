import { pino } from 'pino';
import type { Driver } from '../../drivers/driver.ts';
import { ClockGuard } from './clock-guard.ts';
import { ClockKeeper } from './clock-keeper.ts';
import { ClockMemory } from './clock-memory.ts';
import { clockRules } from './clock-plausibility.ts';

/** As of a process that has just begun the store in a folder. */
export function clockOfNewStore(driver: Driver): { clock: ClockGuard; clockKeeper: ClockKeeper } {
  const facts = { ttl: undefined, reaperInterval: 0, clockToleranceMs: 0, storageHasClock: false };
  const memory = new ClockMemory(clockRules(facts));
  const clock = new ClockGuard(driver, 0, memory);
  const log = pino({ level: 'silent' });
  const clockKeeper = new ClockKeeper({ driver, clock, memory, log }, { mayWrite: true });
  clockKeeper.beginNew();
  return { clock, clockKeeper };
}
