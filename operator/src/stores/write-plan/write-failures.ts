import type { DesiredObject } from '../desired-objects.ts';
import type { Refusal } from '../observed.ts';

/** ms that writing may fail before the status tells: an API server that is being restarted is no news of a store */
const PATIENCE = 20_000;

/** How long the writing of one store's objects has been failing. */
export class WriteFailures {
  /** ms, monotonic */
  #since: number | undefined;

  succeeded(): void {
    this.#since = undefined;
  }

  /** What the status should say of a failure; nothing while it may pass. @param now ms, monotonic */
  failed(failure: unknown, desired: readonly DesiredObject[], now: number): readonly Refusal[] {
    this.#since ??= now;
    if (now - this.#since < PATIENCE || !(failure instanceof Error)) return [];
    const { message } = failure;
    const failed = desired.find(({ resource, object: { metadata } }) =>
      message.includes(` ${resource.plural} ${metadata.namespace}/${metadata.name}: `),
    );
    if (failed === undefined) return [];
    const { resource, object } = failed;
    return [{ resource, name: object.metadata.name, reason: 'InternalError', message }];
  }
}
