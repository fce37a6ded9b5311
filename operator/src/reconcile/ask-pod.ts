import { get, type IncomingMessage } from 'node:http';
import { type ReadStatusReport, readStatusReport } from '@largepayload/crds';
import { collect, TooLargeError } from '../kubernetes/http-exchange.ts';
import { METRICS_PORT } from '../stores/names.ts';
import type { ObservedPod, PodReport } from '../stores/observed.ts';

/** ms; a pod whose storage hangs says so after 3 s */
const TIME_LIMIT = 5_000;
const LONGEST_ANSWER = 64 * 1024;
const NO_SERVICE = 'what answered there is no payload-store';

/** A pod that can be asked. */
export type RunningPod = ObservedPod & { readonly ip: string };

/** What a pod says of itself, or why it says nothing; after 5 s at most. Never rejects. */
export async function askPod(pod: RunningPod, signal: AbortSignal): Promise<PodReport> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT)]);
    return ofStore(pod, readStatusReport(JSON.parse(await fetchText(pod.ip, limit))));
  } catch (error) {
    return { unreachable: wordsOf(error as Error & { code?: string }) };
  }
}

/** An address may have come to another pod, and labels are anybody's to set. */
function ofStore({ namespace, store }: ObservedPod, report: ReadStatusReport | undefined): PodReport {
  if (report === undefined) return { unreachable: NO_SERVICE };
  if (report.store === `${namespace}/${store}`) return { report };
  return { unreachable: 'what answered there belongs to another store' };
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
  if (error instanceof SyntaxError || error instanceof TooLargeError) return NO_SERVICE;
  return error.code === 'ECONNREFUSED' ? 'it refused the connection' : (error.code ?? error.message);
}
