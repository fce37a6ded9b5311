/**
 * Returns a function that measures the milliseconds since now, by the monotonic clock, which no adjustment moves, or by the wall
 * clock, which goes on while the machine sleeps: the longer of the two.
 */
export function stopwatch(): () => number {
  const [monotonicStart, wallStart] = [performance.now(), Date.now()];
  return () => Math.max(performance.now() - monotonicStart, Date.now() - wallStart);
}
