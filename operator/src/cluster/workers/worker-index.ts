import type { WorkerPod } from './worker-pod.ts';

type Entry = readonly [key: string, pod: WorkerPod];

/** The pods in scope that have been read, by their key and by the store that they ask for. */
export class WorkerIndex {
  readonly #pods = new Map<string, WorkerPod>();
  /** keys of pods, by the key of the store */
  readonly #byStore = new Map<string | undefined, Set<string>>();

  get(key: string): WorkerPod | undefined {
    return this.#pods.get(key);
  }

  entries(): IterableIterator<[key: string, pod: WorkerPod]> {
    return this.#pods.entries();
  }

  /** Whether any pod asks for the store. */
  has(store: string): boolean {
    return this.#byStore.has(store);
  }

  /** @param store `undefined`: pods whose label names no store */
  *of(store: string | undefined): Generator<Entry> {
    for (const key of this.#byStore.get(store) ?? []) {
      const pod = this.#pods.get(key);
      if (pod !== undefined) yield [key, pod];
    }
  }

  set(key: string, pod: WorkerPod): void {
    this.delete(key);
    this.#pods.set(key, pod);
    const members = this.#byStore.get(pod.store) ?? new Set();
    this.#byStore.set(pod.store, members.add(key));
  }

  /** @returns the pod that was there */
  delete(key: string): WorkerPod | undefined {
    const before = this.#pods.get(key);
    if (before === undefined) return undefined;
    this.#pods.delete(key);
    const members = this.#byStore.get(before.store);
    members?.delete(key);
    if (members?.size === 0) this.#byStore.delete(before.store);
    return before;
  }
}
