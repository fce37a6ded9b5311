import { get, type IncomingMessage } from 'node:http';
import { collect, TooLargeError } from '../kubernetes/http-exchange.ts';
import { METRICS_PORT } from '../stores/names.ts';
import type { ObservedPod, PodReport } from '../stores/observed.ts';
import { parseReport } from '../stores/project/parse-report.ts';

/** ms; a pod whose storage hangs says so after 3 s */
const TIME_LIMIT = 5_000;
const LONGEST_ANSWER = 64 * 1024;
/** ms until a pod that is well is asked again: the reaper's news is wanted, and storage that fails later */
const CALM_INTERVAL = 120_000;
/** ms until one that is not is asked again, longer each time */
const FIRST_INTERVAL = 1_000;
const LONGEST_INTERVAL = 15_000;

interface Asked {
  readonly answer: PodReport;
  /** ms, monotonic */
  readonly nextAt: number;
  readonly interval: number;
}

/** What the pods of a store say of themselves, asked as often as it may have changed. */
export class PodReports {
  readonly #asked = new Map<string, Asked>();

  /**
   * Asks the pods whose time has come, all at once; takes 5 s at most.
   * @param now ms, monotonic
   */
  async refresh(pods: readonly ObservedPod[], now: number, signal: AbortSignal): Promise<void> {
    const uids = new Set(pods.map(({ uid }) => uid));
    for (const uid of this.#asked.keys()) if (!uids.has(uid)) this.#asked.delete(uid);
    await Promise.all(pods.map((pod) => this.#refreshOne(pod, now, signal)));
  }

  /** by UID of the pod */
  get answers(): ReadonlyMap<string, PodReport> {
    return new Map([...this.#asked].map(([uid, { answer }]) => [uid, answer]));
  }

  /** ms, monotonic, when the next pod should be asked; infinite without pods. */
  get nextAt(): number {
    return Math.min(...[...this.#asked.values()].map(({ nextAt }) => nextAt));
  }

  /** Readiness changes the moment that the answer does: what the kubelet saw, we should hear. */
  async #refreshOne(pod: ObservedPod, now: number, signal: AbortSignal): Promise<void> {
    const { uid, ip } = pod;
    if (ip === undefined || pod.runningSince === undefined) return void this.#asked.delete(uid);
    const before = this.#asked.get(uid);
    const disagrees = before !== undefined && pod.ready && !isWell(before.answer);
    if (before !== undefined && now < before.nextAt && !disagrees) return;
    const answer = ofStore(pod, await askPod(ip, signal));
    const interval = isWell(answer) ? CALM_INTERVAL : nextInterval(before);
    this.#asked.set(uid, { answer, interval, nextAt: now + interval });
  }
}

function nextInterval(before: Asked | undefined): number {
  if (before === undefined || before.interval === CALM_INTERVAL) return FIRST_INTERVAL;
  return Math.min(2 * before.interval, LONGEST_INTERVAL);
}

/** Nothing is expected to change soon. */
function isWell(answer: PodReport): boolean {
  if (!('report' in answer)) return false;
  const { ready, reaper } = answer.report;
  return (
    ready && (reaper === undefined || (reaper.lastCompleted !== undefined && reaper.lastError === undefined))
  );
}

/** An address may have come to another pod, and labels are anybody's to set. */
function ofStore({ namespace, store }: ObservedPod, answer: PodReport): PodReport {
  if (!('report' in answer) || answer.report.store === `${namespace}/${store}`) return answer;
  return { unreachable: 'what answered there belongs to another store' };
}

async function askPod(host: string, signal: AbortSignal): Promise<PodReport> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT)]);
    return parseReport(JSON.parse(await fetchText(host, limit)));
  } catch (error) {
    return { unreachable: wordsOf(error as Error & { code?: string }) };
  }
}

async function fetchText(host: string, signal: AbortSignal): Promise<string> {
  const asked = { host, port: METRICS_PORT, path: '/status', agent: false, signal } as const;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(asked, resolve).on('error', reject);
  });
  return await collect(answer, LONGEST_ANSWER);
}

/** Without addresses and times, which would make every answer another one. */
function wordsOf(error: Error & { code?: string }): string {
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'it did not answer within 5 s';
  if (error instanceof SyntaxError || error instanceof TooLargeError)
    return 'what answered there is no payload-store';
  return error.code === 'ECONNREFUSED' ? 'it refused the connection' : (error.code ?? error.message);
}
