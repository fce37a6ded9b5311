import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** As the operator calls itself; the version of `operator/package.json` follows. */
const USER_AGENT = /^large-payload-operator\/[0-9]/;

/** The requests of the operator as the API server counts them, beside what the operator says itself. */
export class AuditLog {
  readonly #file: string;
  readonly #policy: string;

  private constructor(folder: string) {
    this.#file = join(folder, 'audit.log');
    this.#policy = join(folder, 'audit-policy.json');
  }

  static async create(folder: string): Promise<AuditLog> {
    const log = new AuditLog(folder);
    const policy = {
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['RequestReceived'],
      rules: [{ level: 'None', users: ['system:apiserver'] }, { level: 'Metadata' }],
    };
    await writeFile(log.#policy, JSON.stringify(policy));
    return log;
  }

  get apiServerFlags(): readonly string[] {
    return [`--audit-policy-file=${this.#policy}`, `--audit-log-path=${this.#file}`];
  }

  /** Requests of the operator since it was asked last. A watch counts when it begins. */
  async count(): Promise<number> {
    const seen = new Set<string>();
    const lines = createInterface({ input: createReadStream(this.#file, { start: this.#read }) });
    for await (const line of lines) {
      this.#read += Buffer.byteLength(line) + 1;
      const { auditID, userAgent, verb, stage } = JSON.parse(line);
      const isBegin = stage === 'ResponseStarted' || verb !== 'watch';
      if (isBegin && USER_AGENT.test(userAgent ?? '')) seen.add(auditID);
    }
    return seen.size;
  }

  #read = 0;
}
