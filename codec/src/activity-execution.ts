/**
 * Where @temporalio/activity keeps the context of the activity that is being executed, for all its copies in a process.
 * Read here without the package, since whoever uses this codec may have no activities, and so no such package.
 */
const contextStorage: unique symbol = Symbol.for('__temporal_activity_context_storage__') as never;

interface ActivityContext {
  readonly cancellationSignal?: unknown;
}

interface ActivityExecution {
  /** Aborted when the activity is cancelled or its worker shuts down. */
  readonly cancellationSignal: AbortSignal | undefined;
}

/**
 * The activity whose code, result or failure is being processed, if any. A worker decodes an activity's input before
 * that, and everything of workflow tasks outside.
 */
export function currentActivity(): ActivityExecution | undefined {
  const storage = (globalThis as { [contextStorage]?: { getStore?: () => unknown } })[contextStorage];
  const context = storage?.getStore?.() as ActivityContext | undefined;
  if (context === undefined) return undefined;
  const { cancellationSignal } = context;
  return { cancellationSignal: cancellationSignal instanceof AbortSignal ? cancellationSignal : undefined };
}
