import type { Payload } from '@temporalio/common';
import type { Content } from './content.fixture.ts';

/** A payload that the service has acknowledged. */
export interface Acknowledged {
  readonly content: Content;
  readonly reference: Payload;
  readonly key: string;
  readonly digest: string;
  /** ms since the epoch, before the acknowledgement */
  readonly at: number;
}

/** The outcomes of the requests to one store. */
export class Ledger {
  readonly acknowledged: Acknowledged[] = [];
  /** how often each code ended an operation for good */
  readonly failures = new Map<string, number>();
  /** keys of payloads that arrived complete with other bytes */
  readonly wrong: string[] = [];
  operations = 0;
  /** ms of the slowest operation of the codec, its tries together */
  slowest = 0;
  /** ms of the slowest request of a reader without a codec */
  slowestRaw = 0;

  /** Runs an operation, and records how it ended. @returns `undefined` when it failed */
  async note<T>(what: 'put' | 'get' | 'raw get', operation: () => Promise<T>): Promise<T | undefined> {
    const started = performance.now();
    this.operations += 1;
    try {
      return await operation();
    } catch (error) {
      const code = `${what} ${codeOf(error)}`;
      this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
      return undefined;
    } finally {
      const taken = performance.now() - started;
      if (what === 'raw get') this.slowestRaw = Math.max(this.slowestRaw, taken);
      else this.slowest = Math.max(this.slowest, taken);
    }
  }
}

/** The code of the service's answer; without an answer, that of the network error. */
function codeOf(error: unknown): string {
  const { code, name, cause } = error as { code?: string; name?: string; cause?: { code?: string } };
  return code ?? cause?.code ?? name ?? String(error);
}
