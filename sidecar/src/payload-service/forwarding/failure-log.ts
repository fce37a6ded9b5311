import { ServiceError } from '../../errors/service-error.ts';
import type { Log } from '../../log/log.ts';

/** Errors that a person has to put right, in the pod or at the gateway, and not a worker. */
const CODES: ReadonlySet<string> = new Set([
  ...['gateway_unreachable', 'gateway_untrusted', 'token_unreadable', 'ca_unreadable'],
  ...['token_missing', 'token_refused', 'tls_required', 'caller_denied'],
]);

/** Where some requests fail and others succeed, each one would be news. */
const SAME_CODE_AGAIN_MS = 60_000;

/**
 * Writes a line when requests begin to fail, by another code than before, and when they succeed again. A code has at most
 * one such line a minute.
 */
export class FailureLog {
  readonly #log: Log;
  readonly #loggedAt = new Map<string, number>();
  /** of the failure that was logged last, until a request succeeds */
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
      if (error instanceof ServiceError && this.#isNews(error.code)) {
        this.#code = error.code;
        this.#loggedAt.set(error.code, performance.now());
        this.#log.warn({ code: error.code, reason: error.message }, 'requests to the gateway fail');
      }
      throw error;
    }
  }

  #isNews(code: string): boolean {
    if (!CODES.has(code) || code === this.#code) return false;
    const loggedAt = this.#loggedAt.get(code) ?? Number.NEGATIVE_INFINITY;
    return performance.now() - loggedAt >= SAME_CODE_AGAIN_MS;
  }
}
