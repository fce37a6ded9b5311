import { cpus, totalmem } from 'node:os';

/** Does the work, and writes its name and how long it took to standard error. */
export async function measured<T>(what: string, work: () => Promise<T>): Promise<T> {
  process.stderr.write(`measuring: ${what} …`);
  const started = performance.now();
  const result = await work();
  process.stderr.write(` ${((performance.now() - started) / 1_000).toFixed(0)} s\n`);
  return result;
}

/** `2 cores (AMD EPYC), 24 GiB, Node 24.0.0` */
export function machineFacts(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} cores (${first?.model.trim()}), ${memory} GiB, Node ${process.versions.node}`;
}
