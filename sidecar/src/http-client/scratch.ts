/**
 * All connections read heads into this memory, and bytes that arrive unexpectedly. The callback of a read runs before any other
 * read, so one buffer is enough for all.
 */
export const SCRATCH = Buffer.allocUnsafeSlow(64 * 1024);
