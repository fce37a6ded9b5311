#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// The thread pool does the file operations, an fdatasync each; it reads its size when it is first used.
process.env.UV_THREADPOOL_SIZE ??= '16';
// Compiled code is kept beside the program; where that cannot be written, the program starts without.
enableCompileCache(join(import.meta.dirname, 'compile-cache'));
await import('./payload-store-main.mjs' as string);
