/** How a partition of an object store takes requests. Amazon publishes the rate; how it finds where to split it does not. */
export interface PartitionRules {
  /** PUTs that a partition takes in a second */
  readonly putsPerSecond: number;
  /** ms of refusals after which a partition is split in the middle of the keys that it is asked for */
  readonly splitAfterMs: number;
}

interface Partition {
  /** the keys from this one on, up to the next partition */
  readonly from: string;
  /** PUTs that it would take now */
  allowance: number;
  filledAt: number;
  refusedSince: number | undefined;
  refusedAt: number;
  readonly recentKeys: string[];
}

const KEYS_REMEMBERED = 256;
/** ms without a refusal after which a partition is no longer too small */
const CALM_MS = 3_000;

/**
 * The key space of a bucket, cut into ranges that each take a number of PUTs a second. A range that refuses for long enough is
 * split. Keys of a new window lie in a range that exists already, as all keys do, and make it too small again.
 */
export class KeyPartitions {
  readonly #rules: PartitionRules;
  /** in the order of their keys */
  readonly #partitions: Partition[];

  /** @param boundaries where the key space is split before the first request, in order @param nowMs of any clock */
  constructor(rules: PartitionRules, boundaries: readonly string[], nowMs: number) {
    this.#rules = rules;
    this.#partitions = ['', ...boundaries].map((from) => this.#partitionFrom(from, nowMs));
  }

  get count(): number {
    return this.#partitions.length;
  }

  /** Whether a PUT of the key is taken. A refused one counts as demand too. */
  takes(key: string, nowMs: number): boolean {
    const at = this.#partitions.findLastIndex(({ from }) => from <= key);
    const partition = this.#partitions[at] as Partition;
    const { putsPerSecond, splitAfterMs } = this.#rules;
    const filled = partition.allowance + ((nowMs - partition.filledAt) / 1_000) * putsPerSecond;
    partition.allowance = Math.min(putsPerSecond, filled);
    partition.filledAt = nowMs;
    partition.recentKeys.push(key);
    if (partition.recentKeys.length > KEYS_REMEMBERED) partition.recentKeys.shift();
    if (partition.allowance >= 1) {
      partition.allowance -= 1;
      return true;
    }
    if (nowMs - partition.refusedAt > CALM_MS) partition.refusedSince = undefined;
    partition.refusedSince ??= nowMs;
    partition.refusedAt = nowMs;
    if (nowMs - partition.refusedSince >= splitAfterMs) this.#split(at, nowMs);
    return false;
  }

  #split(at: number, nowMs: number): void {
    const { from, recentKeys } = this.#partitions[at] as Partition;
    const middle = recentKeys.toSorted()[Math.floor(recentKeys.length / 2)] as string;
    const halves = middle === from ? [from] : [from, middle];
    this.#partitions.splice(at, 1, ...halves.map((start) => this.#partitionFrom(start, nowMs)));
  }

  #partitionFrom(from: string, nowMs: number): Partition {
    const allowance = this.#rules.putsPerSecond;
    return {
      ...{ from, allowance, filledAt: nowMs, refusedSince: undefined, refusedAt: nowMs },
      recentKeys: [],
    };
  }
}
