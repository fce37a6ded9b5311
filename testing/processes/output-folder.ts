import { join } from 'node:path';

/** Folder for logs and screenshots of a run. Not committed. */
export const outputFolder = join(import.meta.dirname, '../../e2e/.output');
