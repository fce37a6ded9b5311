/** What the connections of one port may hold. Sizes in bytes. */
export interface ConnectionRules {
  /** at a time; when they run out, idle ones are closed, and after those a new one is refused */
  readonly connections: number;
  /** so many of them may send a request head of `largestHead` */
  readonly largeHeads: number;
  readonly largestHead: number;
  /** the largest request head of all others */
  readonly smallHead: number;
  /** TLS handshakes under way; further ones wait in line. Where the port takes TLS */
  readonly handshakes?: number;
  /** ms in which a peer must have taken an answer that has ended; absent: who gives the answers looks after that */
  readonly answerTimeMs?: number;
}

/** A connection whose heads were more than this part of its largest one ends with the answer; see `headMemoryOf`. */
export const HEADS_BEFORE_END = 1 / 4;

/**
 * The most bytes of heads that a connection keeps in memory. Node's parser keeps what it copied of a head until another
 * head takes its place, also while the connection is idle, and it can be made to keep parts of many heads. So a connection
 * ends before its heads are much more than its largest one.
 */
export function headMemoryOf(largestHead: number): number {
  return largestHead * (1 + HEADS_BEFORE_END);
}
