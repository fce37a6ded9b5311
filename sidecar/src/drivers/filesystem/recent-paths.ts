import { statfs } from 'node:fs/promises';

/** A path is recent for this long at least, and twice as long at most. */
const PERIOD_MS = 15_000;
/** Paths of one period; two periods are kept. A path has up to a few hundred bytes. */
const PATHS_A_PERIOD = 4_096;

/**
 * Filesystems that need no disk or server to open a file that they have in memory (statfs(2)): ext4, xfs, btrfs, tmpfs.
 * NFS and FUSE ask their server each time, and wait for it without limit.
 */
const LOCAL_FILESYSTEMS: readonly number[] = [0xef53, 0x58465342, 0x9123683e, 0x01021994];

/** Files that were read or written a moment ago, so that the kernel has in memory where they lie. */
export class RecentPaths {
  readonly #now: () => number;
  #isLocal = false;
  #current = new Set<string>();
  #previous = new Set<string>();
  #began: number;

  /** @param now ms of a monotonic clock */
  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#began = now();
  }

  /** Finds out whether files below this folder may be opened at once. Before this call they may not. */
  async learn(folder: string): Promise<void> {
    this.#isLocal = LOCAL_FILESYSTEMS.includes((await statfs(folder)).type);
  }

  add(path: string): void {
    if (!this.#isLocal) return;
    this.#turn();
    if (this.#current.size >= PATHS_A_PERIOD) this.#begin(this.#current);
    this.#current.add(path);
  }

  /** Whether opening the file can take no longer than a moment, because the disk is not needed for it. */
  has(path: string): boolean {
    if (!this.#isLocal) return false;
    this.#turn();
    return this.#current.has(path) || this.#previous.has(path);
  }

  #turn(): void {
    const elapsed = this.#now() - this.#began;
    if (elapsed > PERIOD_MS) this.#begin(elapsed > 2 * PERIOD_MS ? new Set() : this.#current);
  }

  #begin(previous: Set<string>): void {
    this.#previous = previous;
    this.#current = new Set();
    this.#began = this.#now();
  }
}
