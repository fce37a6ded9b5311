/** @returns a function that returns the time since then, in the form of the table: `12.3 s` */
export function stopwatch(): () => string {
  const started = performance.now();
  return () => `${((performance.now() - started) / 1_000).toFixed(1)} s`;
}
