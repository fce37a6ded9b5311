/** What is counted of deletion. */
export interface DeletionMetrics {
  recordDeleted(objects: number, bytes: number): void;
  /** @param seconds that deletion lags behind the clock */
  recordReaperLag(seconds: number): void;
  recordReaperPass(result: 'completed' | 'failed' | 'waiting'): void;
}
