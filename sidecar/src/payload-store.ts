#!/usr/bin/env node
import { createRequire, enableCompileCache } from 'node:module';
import { join } from 'node:path';
import './runtime-settings.ts';

// Compiled code is kept beside the program; where that cannot be written, the program starts without.
enableCompileCache(join(import.meta.dirname, 'compile-cache'));
createRequire(import.meta.url)('./payload-store/main.cjs');
