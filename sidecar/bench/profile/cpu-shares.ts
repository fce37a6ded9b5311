/** The parts of a CPU profile of V8 (`node --cpu-prof`) that are read here. Times in µs of the monotonic clock. */
export interface CpuProfile {
  readonly startTime: number;
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  /** the node on top of the stack, by sample */
  readonly samples: readonly number[];
  /** since the sample before */
  readonly timeDeltas: readonly number[];
}

export const KINDS_OF_WORK = [
  'garbage',
  'hashing',
  'sockets and TLS',
  'Node',
  'our code and packages',
] as const;
export type KindOfWork = (typeof KINDS_OF_WORK)[number];
export type CpuShares = Readonly<Record<KindOfWork, number>>;

/** Divides the busy time of the main thread between two moments by kind of work; the shares add up to 1. */
export function cpuShares(profile: CpuProfile, from: number, to: number): CpuShares {
  const kinds = new Map(profile.nodes.map(({ id, callFrame }) => [id, kindOf(callFrame)]));
  const spent = new Map<KindOfWork, number>();
  let time = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    const duration = profile.timeDeltas[index] ?? 0;
    time += duration;
    const kind = kinds.get(id);
    if (kind === undefined || time < from || time > to) continue;
    spent.set(kind, (spent.get(kind) ?? 0) + duration);
  }
  const whole = [...spent.values()].reduce((sum, part) => sum + part, 0);
  const share = (kind: KindOfWork) => (whole === 0 ? 0 : (spent.get(kind) ?? 0) / whole);
  return Object.fromEntries(KINDS_OF_WORK.map((kind) => [kind, share(kind)])) as CpuShares;
}

const HASHES = /^(update|digest|Hash|Hmac|createHash|createHmac|sign|final|getAuthTag)$/;

/** `undefined`: idle. A system call made in C++ counts for the function that called the C++ code, or as V8's `(program)`. */
function kindOf({ functionName, url }: CpuProfile['nodes'][number]['callFrame']): KindOfWork | undefined {
  if (functionName === '(idle)' || functionName === '(root)') return undefined;
  if (functionName === '(garbage collector)') return 'garbage';
  if (url.includes('internal/crypto/') || (url === '' && HASHES.test(functionName))) return 'hashing';
  if (url === '') return 'sockets and TLS';
  return url.startsWith('node:') ? 'Node' : 'our code and packages';
}
