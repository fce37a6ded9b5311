/**
 * Where @temporalio/activity keeps the context of the activity that is being executed, for all its copies in a process.
 * Read here without the package, since whoever uses this codec may have no activities, and so no such package.
 */
const contextStorage: unique symbol = Symbol.for('__temporal_activity_context_storage__') as never;

interface ActivityContext {
  readonly cancellationSignal?: unknown;
}

/**
 * The cancellation of the activity whose code, result or failure is being processed; undefined outside of one, and in one
 * that is cancelled already or whose worker is shutting down. A worker decodes an activity's input before it counts as
 * executed, and everything of workflow tasks outside.
 */
export function runningActivity(): AbortSignal | undefined {
  const storage = (globalThis as { [contextStorage]?: { getStore?: () => unknown } })[contextStorage];
  const cancellation = (storage?.getStore?.() as ActivityContext | undefined)?.cancellationSignal;
  return cancellation instanceof AbortSignal && !cancellation.aborted ? cancellation : undefined;
}
