import { join } from 'node:path';

/** What a run leaves behind to be looked at: logs, screenshots. Not committed. */
export const outputFolder = join(import.meta.dirname, '../../e2e/.output');
