/**
 * Where all connections put heads, and what arrives when nothing is expected. The callback of a read runs before any other
 * read, so one place is enough.
 */
export const SCRATCH = Buffer.allocUnsafeSlow(64 * 1024);
