/**
 * Where @temporalio/activity keeps the context of the activity that is being executed, for all its copies in a process.
 * It is read without that package, which an application without activities does not have.
 */
const contextStorage: unique symbol = Symbol.for('__temporal_activity_context_storage__') as never;

interface ActivityContext {
  readonly cancellationSignal?: unknown;
}

const failed = new WeakSet<object>();

/**
 * The cancellation of the activity whose code, result or failure is being processed; undefined outside of one, and in one
 * that is cancelled already or whose worker is shutting down. A worker decodes an activity's input before it counts as
 * executed, and everything of workflow tasks outside.
 */
export function runningActivity(): AbortSignal | undefined {
  const cancellation = currentContext()?.cancellationSignal;
  return cancellation instanceof AbortSignal && !cancellation.aborted ? cancellation : undefined;
}

/** Whether what is processed now is the failure of an activity, as far as {@link activityFailureInterceptors} saw it fail. */
export function isActivityFailure(): boolean {
  const context = currentContext();
  return context !== undefined && failed.has(context);
}

/**
 * For `interceptors.activity` of a worker whose activities fail with large details: lets the codec know that it encodes a
 * failure. Temporal's worker (1.24) ends when a failure cannot be encoded; with this, details that cannot be stored are
 * replaced by a note that says so, and the failure itself reaches the workflow.
 */
export function activityFailureInterceptors(context: object) {
  return {
    inbound: {
      async execute<Input>(input: Input, next: (input: Input) => Promise<unknown>): Promise<unknown> {
        try {
          return await next(input);
        } catch (failure) {
          failed.add(context);
          throw failure;
        }
      },
    },
  };
}

function currentContext(): (ActivityContext & object) | undefined {
  const storage = (globalThis as { [contextStorage]?: { getStore?: () => unknown } })[contextStorage];
  const context = storage?.getStore?.();
  return typeof context === 'object' && context !== null ? context : undefined;
}
