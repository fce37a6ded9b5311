import { type BaseLogger, type Logger, pino } from 'pino';

/** Where lines for the people who run the service go. */
export type Log = Pick<BaseLogger, 'info' | 'warn' | 'error'>;

/** A line of JSON on standard output for each event, with its level in words, as who collects logs expects. */
export function createLog(): Logger {
  return pino({
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
  });
}
