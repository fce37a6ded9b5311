import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readSmallFile } from '@largepayload/codec/files/small-file';
import type { FastifyBaseLogger } from 'fastify';
import {
  assertBetter,
  type CertificatePair,
  isoTime,
  type PairTexts,
  parsePair,
} from './certificate-pair.ts';

/** For this time the files are not read again. */
const LOOK_LIFETIME_MS = 1_000;
/** Bytes of the largest Secret. */
const LARGEST_FILE = 1024 * 1024;

/**
 * The certificate in `tls.crt` and `tls.key` of a folder, as a Secret is mounted. The files are read again when a client
 * connects, at most once a second. A pair that cannot be used changes nothing: the last good one stays in use, and the log has
 * the reason once.
 */
export class CertificateFolder {
  readonly folder: string;
  readonly #log: FastifyBaseLogger;
  #inUse: CertificatePair | undefined;
  #problem: string | undefined;
  #loggedExpiry = Number.NaN;
  #looking: Promise<void> | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(folder: string, log: FastifyBaseLogger) {
    this.folder = folder;
    this.#log = log;
  }

  /** The pair to be served, as of the last look; `undefined`: there was none that can be used. */
  get inUse(): CertificatePair | undefined {
    return this.#inUse;
  }

  /** The pair to be served. It looks at the files, too, and waits for that only while there is no pair. */
  async current(): Promise<CertificatePair | undefined> {
    const looking = this.look();
    if (this.#inUse === undefined) await looking;
    return this.#inUse;
  }

  /** Why the files, as of the last look, are not what is served; `undefined`: they are. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Reads the files unless that was done within the last second. Never rejects. */
  look(): Promise<void> {
    if (this.#looking === undefined && performance.now() - this.#lookedAt < LOOK_LIFETIME_MS)
      return Promise.resolve();
    // However many wait for a volume that does not answer, there is one look.
    this.#looking ??= this.#readFiles().finally(() => {
      this.#looking = undefined;
      this.#lookedAt = performance.now();
    });
    return this.#looking;
  }

  async #readFiles(): Promise<void> {
    try {
      const texts = await readTexts(this.folder);
      const isNew = texts.certificate !== this.#inUse?.certificate || texts.key !== this.#inUse.key;
      if (isNew) this.#take(parsePair(texts));
      this.#problem = undefined;
    } catch (error) {
      this.#report((error as Error).message);
    }
    this.#logExpiry();
  }

  /** @throws CertificatePairError */
  #take(found: CertificatePair): void {
    assertBetter(found, this.#inUse, Date.now());
    this.#inUse = found;
    this.#log.info(
      { folder: this.folder, notAfter: isoTime(found.notAfter) },
      'a TLS certificate was loaded',
    );
  }

  #report(problem: string): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    const message =
      this.#inUse === undefined
        ? 'there is no TLS certificate yet'
        : 'a new TLS certificate cannot be used; the one that was loaded before stays in use';
    this.#log.warn({ folder: this.folder, reason: problem }, message);
  }

  #logExpiry(): void {
    const { notAfter } = this.#inUse ?? { notAfter: Number.POSITIVE_INFINITY };
    if (notAfter > Date.now() || notAfter === this.#loggedExpiry) return;
    this.#loggedExpiry = notAfter;
    this.#log.error(
      { folder: this.folder, notAfter: isoTime(notAfter) },
      'the TLS certificate has expired: clients refuse it',
    );
  }
}

/** Kubernetes changes a Secret by swapping a link to a folder. So both files are read from the folder that it names now. */
async function readTexts(folder: string): Promise<PairTexts> {
  const target = await realpath(join(folder, 'tls.crt')).catch((error) => Promise.reject(missing(error)));
  // A link that a person made may lead to a file of another name, with its key elsewhere.
  const keyFolder = basename(target) === 'tls.crt' ? dirname(target) : folder;
  const [certificate, key] = await Promise.all([
    readSmallFile(target, LARGEST_FILE),
    readSmallFile(join(keyFolder, 'tls.key'), LARGEST_FILE),
  ]).catch((error) => Promise.reject(missing(error)));
  return { certificate, key };
}

function missing({ message }: Error): Error {
  return new Error(`cannot read tls.crt and tls.key: ${message}`);
}
