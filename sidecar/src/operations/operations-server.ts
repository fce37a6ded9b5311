import type { HttpServerSettings } from '../http/server.ts';
import { OPERATIONS_PORT } from '../memory/process-limits.ts';

/** The servers of the metrics and the admin port, whose requests are small. */
export const OPERATIONS_SERVER: HttpServerSettings = {
  connections: OPERATIONS_PORT,
  headersTimeout: 10_000,
  keepAliveTimeout: 75_000,
  requestTimeout: 30_000,
  answersExpect: false,
};
