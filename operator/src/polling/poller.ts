import { isDeepStrictEqual } from 'node:util';
import type { ObservedPod, PodReport } from '../stores/observed.ts';
import { type Heard, heard, processOf } from './poll-pace.ts';
import type { PodQuestion, PodQuestions } from './poll-places.ts';
import { askPod, type RunningPod } from './poll-pod.ts';

export interface PodReportsParts {
  /** those of all stores */
  readonly questions: PodQuestions;
  /** Told after each question how many ms later to look at the store again; 0: there is news. */
  readonly answered: (again: number) => void;
}

/** A pod whose container runs. */
interface Asked {
  /** as seen last */
  pod: RunningPod;
  readonly process: string;
  heard: Heard | undefined;
  /** ms, monotonic */
  nextAt: number;
  /** waits for its turn, or for an answer */
  question: PodQuestion | undefined;
}

/** What the pods of a store say of themselves, asked as often as it may have changed, and never waited for. */
export class PodReports {
  readonly #parts: PodReportsParts;
  /** by UID of the pod */
  readonly #asked = new Map<string, Asked>();

  constructor(parts: PodReportsParts) {
    this.#parts = parts;
  }

  /** Forgets pods that have gone, and asks those whose time has come, or whose readiness or container changed. */
  look(pods: readonly ObservedPod[], signal: AbortSignal): void {
    const running = new Map(pods.filter(isRunning).map((pod) => [pod.uid, pod]));
    for (const [uid, asked] of this.#asked) {
      const pod = running.get(uid);
      if (pod === undefined || processOf(pod) !== asked.process) this.#forget(uid, asked);
    }
    for (const pod of running.values()) this.#lookAt(pod, signal);
  }

  forgetAll(): void {
    for (const [uid, asked] of this.#asked) this.#forget(uid, asked);
  }

  /** by UID of the pod */
  get answers(): ReadonlyMap<string, PodReport> {
    return new Map(
      [...this.#asked].flatMap(([uid, { heard }]) => (heard?.answer ? [[uid, heard.answer]] : [])),
    );
  }

  /**
   * Whether a pod was not asked yet as it is now: readiness changes the moment that the answer does, and what the kubelet saw,
   * we should hear.
   */
  get areBehind(): boolean {
    return [...this.#asked.values()].some(({ heard, pod }) => heard?.whileReady !== pod.ready);
  }

  /** ms, monotonic, when the next pod should be asked; infinite while there is none, or all are being asked. */
  get nextAt(): number {
    const idle = [...this.#asked.values()].filter(({ question }) => question === undefined);
    return Math.min(...idle.map(({ nextAt }) => nextAt));
  }

  #forget(uid: string, { question }: Asked): void {
    this.#asked.delete(uid);
    if (question !== undefined) this.#parts.questions.withdraw(question);
  }

  #lookAt(pod: RunningPod, signal: AbortSignal): void {
    const { questions } = this.#parts;
    const asked = this.#asked.get(pod.uid) ?? begin(pod);
    this.#asked.set(pod.uid, asked);
    asked.pod = pod;
    const isBehind = asked.heard?.whileReady !== pod.ready;
    // It may answer now, and need not wait with those that are silent.
    if (isBehind && asked.question?.wasSilent && questions.withdraw(asked.question))
      asked.question = undefined;
    if (asked.question !== undefined || !(isBehind || performance.now() >= asked.nextAt)) return;
    const wasSilent = !isBehind && (asked.heard?.silences ?? 0) > 0;
    asked.question = { wasSilent, ask: () => this.#ask(asked, signal) };
    questions.put(asked.question);
  }

  async #ask(asked: Asked, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { pod, heard: before } = asked;
    const answer = await askPod(pod, signal);
    // Of a pod that has gone, or a container that has ended.
    if (signal.aborted || this.#asked.get(pod.uid) !== asked) return;
    const now = heard(before, answer, pod.ready);
    asked.heard = now;
    asked.nextAt = performance.now() + now.pause;
    asked.question = undefined;
    const wasExpected = before?.whileReady === pod.ready && asked.pod.ready === pod.ready;
    const isOld = wasExpected && isDeepStrictEqual(before.answer, now.answer);
    this.#parts.answered(isOld ? now.pause : 0);
  }
}

function begin(pod: RunningPod): Asked {
  return { pod, process: processOf(pod), heard: undefined, nextAt: 0, question: undefined };
}

function isRunning(pod: ObservedPod): pod is RunningPod {
  return pod.ip !== undefined && pod.runningSince !== undefined;
}
