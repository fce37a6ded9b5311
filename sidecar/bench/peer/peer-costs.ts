import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startVersitygw, startVersitygwOverTls } from '@largepayload/testing/s3-servers/versitygw';
import type { BenchPrograms } from '../load/go-programs.ts';
import { onFolder } from './on-folder.ts';
import { onS3 } from './on-s3.ts';
import { type PeerRow, SIZES } from './row.ts';

export interface PeerOptions {
  /** another build of the service, measured in the same rounds */
  readonly baseline?: string | undefined;
  /** measures only the places and sizes that it matches, such as `S3 over TLS, 1 MiB` */
  readonly cases?: RegExp | undefined;
}

/**
 * The built service beside a program in Go that does what the peer does (`sidecar/bench/go/peer`), on one S3 server, and on
 * a folder beside the peer's memory.
 */
export async function peerCosts(
  programs: BenchPrograms,
  { baseline, cases = /(?:)/ }: PeerOptions,
): Promise<PeerRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'payload-store-peer-'));
  const sizesAt = (where: PeerRow['where']) => SIZES.filter(({ label }) => cases.test(`${where}, ${label}`));
  const bed = { programs, folder, baseline };
  try {
    return [
      ...(await onS3('S3', startVersitygw, sizesAt('S3'), bed)),
      ...(await onS3('S3 over TLS', startVersitygwOverTls, sizesAt('S3 over TLS'), bed)),
      ...(await onFolder(sizesAt('filesystem'), bed)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
