import { type Logger, pino } from 'pino';

/** A line of JSON on standard output for each event, with its level in words, as who collects logs expects. */
export function createLog(): Logger {
  return pino({
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
  });
}
