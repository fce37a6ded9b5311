import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ServerProcess } from '../processes/server-process.ts';
import { serveArguments } from '../processes/servers.ts';

const MIB = 1024 ** 2;

const CASES = [
  { what: '64 of 1 MiB', count: 64, size: MIB },
  { what: '256 of 1 MiB', count: 256, size: MIB },
  { what: '1 of 256 MiB', count: 1, size: 256 * MIB },
  { what: '2,000 of 140 kB', count: 2_000, size: 140_000 },
] as const;

export interface CodecMemory {
  readonly what: string;
  /** MiB held at most while encoding, less the payloads' own size */
  readonly beyondPayloads: number;
}

/** What encoding many payloads holds, each case in a process of its own. */
export async function codecMemory(config: string, folder: string): Promise<CodecMemory[]> {
  const service = await ServerProcess.start(...serveArguments(config, folder));
  try {
    return CASES.map(({ what, count, size }) => {
      const script = join(import.meta.dirname, 'codec-memory.ts');
      const url = `http://127.0.0.1:${service.port}`;
      const grown = execFileSync(process.execPath, [...process.execArgv, script, url, `${count}`, `${size}`]);
      return { what, beyondPayloads: Number(grown) - (count * size) / MIB };
    });
  } finally {
    await service.stop();
  }
}
