import { ServiceError } from '../../errors/service-error.ts';
import type { Log } from '../../log/log.ts';

/** Errors that a person has to put right, in the pod or at the gateway, and not a worker. */
const CODES: ReadonlySet<string> = new Set([
  ...['gateway_unreachable', 'gateway_untrusted', 'token_unreadable', 'ca_unreadable'],
  ...['token_missing', 'token_refused', 'tls_required', 'caller_denied'],
]);

/** After a line, another one of the same kind is not written for this time: with many gateways, some may fail and others not. */
const QUIET_MS = 10_000;

/** Writes a line when requests begin to fail, by another code than before, and when they succeed again. */
export class FailureLog {
  readonly #log: Log;
  /** as the last line has it; `undefined`: requests succeed */
  #code: string | undefined;
  /** on the monotonic clock, ms: when the last line of each code was written */
  readonly #written = new Map<string | undefined, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** The outcome of the request, which is logged. */
  async of<T>(request: Promise<T>): Promise<T> {
    try {
      const result = await request;
      if (this.#isNews(undefined)) this.#log.info('the gateway serves requests again');
      return result;
    } catch (error) {
      if (error instanceof ServiceError && CODES.has(error.code) && this.#isNews(error.code))
        this.#log.warn({ code: error.code, reason: error.message }, 'requests to the gateway fail');
      throw error;
    }
  }

  #isNews(code: string | undefined): boolean {
    const now = performance.now();
    const isQuiet = now - (this.#written.get(code) ?? Number.NEGATIVE_INFINITY) < QUIET_MS;
    if (code === this.#code || isQuiet) return false;
    this.#code = code;
    this.#written.set(code, now);
    return true;
  }
}
