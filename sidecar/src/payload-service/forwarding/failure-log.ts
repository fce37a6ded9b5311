import { ServiceError } from '../../errors/service-error.ts';
import type { Log } from '../../log/log.ts';

/** Errors that a person has to put right, in the pod or at the gateway, and not a worker. */
const CODES: ReadonlySet<string> = new Set([
  ...['gateway_unreachable', 'gateway_untrusted', 'token_unreadable', 'ca_unreadable'],
  ...['token_missing', 'token_refused', 'tls_required', 'caller_denied'],
]);

/** Writes a line when requests begin to fail, by another code than before, and when they succeed again. */
export class FailureLog {
  readonly #log: Log;
  #code: string | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** The outcome of the request, which is logged. */
  async of<T>(request: Promise<T>): Promise<T> {
    try {
      const result = await request;
      if (this.#code !== undefined) this.#log.info('the gateway serves requests again');
      this.#code = undefined;
      return result;
    } catch (error) {
      if (error instanceof ServiceError && CODES.has(error.code) && error.code !== this.#code) {
        this.#code = error.code;
        this.#log.warn({ code: error.code, reason: error.message }, 'requests to the gateway fail');
      }
      throw error;
    }
  }
}
