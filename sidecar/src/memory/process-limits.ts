import { totalmem } from 'node:os';
import { type ConnectionRules, headMemoryOf } from './connection-rules.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * What things cost in memory, measured on Node 24 as growth of the resident set (docs/operations.md has the table).
 * Each is rounded up.
 */
export const COSTS = {
  /** the process without work, with Amazon's SDK */
  idleProcess: 96 * MIB,
  /** what the garbage collector has not collected yet while payloads pass, and what the allocator does not give back */
  garbage: 48 * MIB,
  /** a sidecar without work, with TLS */
  idleSidecar: 64 * MIB,
  /** as `garbage`, without storage */
  sidecarGarbage: 24 * MIB,
  /** a connection, idle or with an ordinary request, without its head */
  connection: 32 * KIB,
  /** what TLS adds to a connection, and to each its part of the handshakes under way */
  tls: 80 * KIB,
  /** memory for each byte of a head: once as the parser copied it, once as strings and what is made of them */
  headByte: 2.5,
  /** a codec server without work */
  idleCodecServer: 80 * MIB,
  /** memory for each byte of a call's body: body, text, payloads, and what is made of them */
  bodyByte: 5,
} as const;

/** Assumed where neither a control group nor an option of it limits the process: what a small machine can spare. */
export const ASSUMED_MEMORY = 1024 * MIB;

/**
 * More transfers at a time make each of them slower, and all of them too: their buffers leave the processor's caches. 24 of 1
 * MiB at a storage that takes 0.1 s for each are 240 MiB/s.
 */
const MOST_IN_FLIGHT = 24 * MIB;
const MOST_COLLECTED = 64 * MIB;
const MOST_CONNECTIONS = 2_048;
const LARGEST_HEAD = 256 * KIB;
const SMALL_HEAD = 8 * KIB;
/** Of the connections, so many may be in a handshake at a time. */
const HANDSHAKES = 1 / 8;
/** A process whose limit is smaller than what it needs idle gets these bytes all the same, and may not last. */
const LEAST_ROOM = 32 * MIB;
/** A smaller cache than this is none. */
const SMALLEST_CACHE = MIB;

/** For probes, scrapes and the commands of people. */
export const OPERATIONS_PORT: ConnectionRules = {
  connections: 64,
  largeHeads: 0,
  largestHead: 16 * KIB,
  smallHead: 16 * KIB,
  answerTimeMs: 5_000,
};

/** Bytes, where nothing else is said. */
export interface ProcessLimits {
  /** what all of this is derived from */
  readonly memory: number;
  /** of all transfers together, in our buffers */
  readonly inFlightBytes: number;
  /** of all bodies together that are held to be sent to an object store as often as needed */
  readonly collectedBodies: number;
  readonly dataPort: ConnectionRules;
  /** of the cache of payloads, which may be less than was wanted; 0: there is none */
  readonly cacheBytes: number;
}

interface Wanted {
  /** bytes of the cache */
  readonly cacheSize?: number | undefined;
  /** whether the data port takes TLS too */
  readonly takesTls?: boolean;
  /** bytes of memory that the machine has */
  readonly machine?: number;
}

/**
 * The limits of a process with a data, a metrics and an admin port, such that all of them reached together fit into its
 * memory. What is left beside an idle process goes in four parts to transfers, collected bodies, connections and large heads;
 * the first three take no more than they can use, and the large heads get the rest. A cache comes out of what is left beside
 * collected bodies, and leaves the others the room of a small process. Where the data port takes TLS, another part
 * is for what OpenSSL has encrypted and the kernel has not taken: as much as the transfers hold.
 * @param limit of the process's memory; `undefined`: nothing limits it
 */
export function processLimits(
  limit: number | undefined,
  { cacheSize = 0, takesTls = false, machine = totalmem() }: Wanted = {},
): ProcessLimits {
  const memory = limit ?? assumedMemory(cacheSize, machine);
  const beside = COSTS.idleProcess + COSTS.garbage + 2 * memoryOfPort(OPERATIONS_PORT);
  const room = Math.max(LEAST_ROOM, memory - beside);
  const collectedBodies = Math.floor(Math.min(MOST_COLLECTED, room / 4));
  const cacheBytes = cacheWithin(room - collectedBodies - LEAST_ROOM, cacheSize);
  const rest = room - collectedBodies - cacheBytes;
  return { memory, collectedBodies, cacheBytes, ...portLimits(rest, { most: room / 4, takesTls }) };
}

/**
 * The limits of a sidecar, such that all of them reached together fit into its memory: as `processLimits`, but the cache comes
 * first, so that the one of 64 MiB fits into 192 MiB. What it leaves goes in four parts to the others.
 */
export function sidecarLimits(
  limit: number | undefined,
  { cacheSize = 0, machine = totalmem() }: Omit<Wanted, 'takesTls'> = {},
): ProcessLimits {
  const memory = limit ?? assumedMemory(cacheSize, machine);
  const beside = COSTS.idleSidecar + COSTS.sidecarGarbage + memoryOfPort(OPERATIONS_PORT);
  const room = Math.max(LEAST_ROOM, memory - beside);
  const cacheBytes = cacheWithin(room - LEAST_ROOM, cacheSize);
  const most = (room - cacheBytes) / 4;
  const collectedBodies = Math.floor(Math.min(MOST_COLLECTED, most));
  const rest = room - cacheBytes - collectedBodies;
  return { memory, collectedBodies, cacheBytes, ...portLimits(rest, { most, takesTls: false }) };
}

function assumedMemory(cacheSize: number, machine: number): number {
  return Math.max(ASSUMED_MEMORY, Math.min(ASSUMED_MEMORY + cacheSize, machine / 2));
}

function cacheWithin(room: number, wanted: number): number {
  const possible = Math.floor(Math.min(wanted, room));
  return possible < SMALLEST_CACHE ? 0 : possible;
}

/**
 * Divides memory among the transfers and connections of a data port.
 * @param most of one part, but for the large heads, which get the rest
 */
function portLimits(
  room: number,
  { most, takesTls }: { readonly most: number; readonly takesTls: boolean },
): Pick<ProcessLimits, 'inFlightBytes' | 'dataPort'> {
  const share = Math.min(most, room / (takesTls ? 4 : 3));
  const inFlightBytes = Math.floor(Math.min(MOST_IN_FLIGHT, share));
  const encryptedBytes = takesTls ? inFlightBytes : 0;
  const tls = takesTls ? COSTS.tls : 0;
  const small = memoryOfConnection(SMALL_HEAD) + tls;
  const connections = Math.min(MOST_CONNECTIONS, Math.floor(share / small));
  const rest = room - inFlightBytes - encryptedBytes - connections * small;
  const largeHeads = Math.min(
    connections,
    Math.floor(rest / (memoryOfConnection(LARGEST_HEAD) + tls - small)),
  );
  const handshakes = takesTls ? Math.ceil(connections * HANDSHAKES) : 0;
  return {
    inFlightBytes,
    dataPort: { connections, largeHeads, largestHead: LARGEST_HEAD, smallHead: SMALL_HEAD, handshakes },
  };
}

/** The most that all connections of a port hold. */
export function memoryOfPort(rules: ConnectionRules): number {
  const { connections, largeHeads, largestHead, smallHead, handshakes = 0 } = rules;
  const heads =
    largeHeads * memoryOfConnection(largestHead) + (connections - largeHeads) * memoryOfConnection(smallHead);
  return handshakes === 0 ? heads : heads + connections * COSTS.tls;
}

function memoryOfConnection(largestHead: number): number {
  return COSTS.connection + COSTS.headByte * headMemoryOf(largestHead);
}

const MOST_CALLS = 2;
const LARGEST_BODY = 64 * MIB;
const CODEC_PORT: ConnectionRules = {
  connections: 256,
  largeHeads: 32,
  largestHead: 64 * KIB,
  smallHead: 8 * KIB,
};

export interface CodecServerLimits {
  /** calls worked on at a time; each may hold a body and, beside it, a payload */
  readonly concurrentCalls: number;
  /** largest request body; a body of base64 is a third larger than what it holds */
  readonly bodyBytes: number;
  /** data of references that one answer holds in full; what comes after it is previewed */
  readonly decodedBytes: number;
  /** tokens of users travel in headers */
  readonly connections: ConnectionRules;
}

/** The limits of a codec server, such that all of them reached together fit into its memory. @param limit as of `processLimits` */
export function codecServerLimits(limit: number | undefined): CodecServerLimits {
  const memory = limit ?? ASSUMED_MEMORY;
  const room = Math.max(LEAST_ROOM, memory - COSTS.idleCodecServer - memoryOfPort(CODEC_PORT));
  const bodies = room / COSTS.bodyByte;
  const concurrentCalls = bodies >= MOST_CALLS * LARGEST_BODY ? MOST_CALLS : 1;
  const bodyBytes = 2 * Math.floor(Math.min(LARGEST_BODY, bodies / concurrentCalls) / 2);
  return { concurrentCalls, bodyBytes, decodedBytes: bodyBytes / 2, connections: CODEC_PORT };
}
