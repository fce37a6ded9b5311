import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { type ReadStatusReport, readStatusReport, textAt } from '@largepayload/crds';
import { collect, TooLargeError } from '../kubernetes/http-exchange.ts';
import { METRICS_PORT } from '../stores/names.ts';
import type { ObservedPod, PodReport } from '../stores/observed.ts';

/** Until the answer begins; a pod whose storage hangs reports that after 3 s. */
const TIME_LIMIT_MS = 5_000;
/** bytes */
const LONGEST_ANSWER = 64 * 1024;
/** characters; it becomes part of an address */
const LONGEST_REVISION = 128;
const SILENT = 'it did not answer within 5 s';
const NO_SERVICE = 'what answered there is no payload-store';

/** A pod that can be polled. */
export type RunningPod = ObservedPod & { readonly ip: string };

/** What a pod answered, or why it did not. */
export interface PollResult {
  readonly report: PodReport;
  /** of the report, for `since`; `undefined`: the pod is older than long polls */
  readonly revision: string | undefined;
}

/** A request for a pod's status report. */
export interface Poll {
  /** Resolves when the pod has begun to answer, or the poll is over. */
  readonly begun: Promise<void>;
  /** Never rejects. `undefined`: it ended without an answer, by `end` or as its time was over. */
  readonly result: Promise<PollResult | undefined>;
  end(): void;
}

/** The pod is to keep the answer back until its report is another than this one. */
export interface Hold {
  readonly since: string;
  readonly forMs: number;
}

/** Without `hold` the whole answer has to come within 5 s, with it its first byte. */
export function pollPod(pod: RunningPod, hold?: Hold): Poll {
  const path = hold === undefined ? '/status' : `/status?since=${encodeURIComponent(hold.since)}`;
  const createConnection = () => connect(METRICS_PORT, pod.ip);
  const request = get({ host: pod.ip, port: METRICS_PORT, path, createConnection });
  let cause: 'ended' | 'silent' | undefined;
  const destroy = (why: typeof cause) => {
    cause ??= why;
    request.destroy();
  };
  const end = () => destroy('ended');
  let timer = setTimeout(destroy, TIME_LIMIT_MS, 'silent');
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request
      .on('response', resolve)
      .on('error', reject)
      .on('close', () => reject(new Error('it closed the connection')));
  }).finally(() => {
    clearTimeout(timer);
  });
  const read = async (): Promise<PollResult | undefined> => {
    try {
      const answer = await answered;
      timer = hold === undefined ? setTimeout(destroy, TIME_LIMIT_MS, 'silent') : setTimeout(end, hold.forMs);
      return resultOf(pod, JSON.parse(await collect(answer, LONGEST_ANSWER)));
    } catch (error) {
      if (cause === 'ended') return undefined;
      return {
        report: { unreachable: cause === 'silent' ? SILENT : reasonOf(error as Error) },
        revision: undefined,
      };
    } finally {
      clearTimeout(timer);
    }
  };
  const begun = answered.then(
    () => {},
    () => {},
  );
  return { begun, result: read(), end };
}

function resultOf(pod: ObservedPod, body: unknown): PollResult {
  const revision = textAt(body, 'revision');
  // A part of a surrogate pair cannot become part of an address.
  const isUsable = revision?.isWellFormed() && revision.length <= LONGEST_REVISION;
  return { report: ofStore(pod, readStatusReport(body)), revision: isUsable ? revision : undefined };
}

/** An address may have come to another pod, and anybody can set labels. */
function ofStore({ namespace, store }: ObservedPod, report: ReadStatusReport | undefined): PodReport {
  if (report === undefined) return { unreachable: NO_SERVICE };
  if (report.store === `${namespace}/${store}`) return { report };
  return { unreachable: 'what answered there belongs to another store' };
}

/** Without addresses and times, so that equal failures give equal reports. */
function reasonOf(error: Error & { code?: string }): string {
  if (error instanceof SyntaxError || error instanceof TooLargeError) return NO_SERVICE;
  return error.code === 'ECONNREFUSED' ? 'it refused the connection' : (error.code ?? error.message);
}
