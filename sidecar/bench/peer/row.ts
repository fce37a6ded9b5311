import type { BenchPrograms } from '../load/go-programs.ts';
import type { Rounds } from '../load/rounds.ts';

const KIB = 1024;
export const MIB = 1024 * KIB;

export const ROUNDS = 3;
/** of one side in one round */
export const SECONDS = 2;
export const WARM_UP_SECONDS = 1;

/** `repeated`: number of payloads that are got again and again. */
export const SIZES = [
  { label: '128 KiB', size: 128 * KIB, clients: 16, repeated: 128 },
  { label: '1 MiB', size: MIB, clients: 16, repeated: 64 },
  { label: '16 MiB', size: 16 * MIB, clients: 4, repeated: 8 },
] as const;
export type Size = (typeof SIZES)[number];

/** The programs and the folder of a measurement. */
export interface Bed {
  readonly programs: BenchPrograms;
  /** for the files with keys, and for stores */
  readonly folder: string;
  /** another build of the service */
  readonly baseline: string | undefined;
}

export interface PeerRow {
  readonly where: 'S3' | 'S3 over TLS' | 'filesystem';
  readonly operation: 'PUT' | 'GET first' | 'GET repeated';
  /** of a payload, such as `1 MiB` */
  readonly size: string;
  readonly clients: number;
  readonly rounds: Rounds;
}

/** Such as `S3 over TLS, PUT 1 MiB`. */
export function nameOf({ where, operation, size }: PeerRow): string {
  return `${where}, ${operation} ${size}`;
}
