import { constants, promises } from 'node:fs';
import type { Log } from '../../log/log.ts';

/** For this time a file is not read again. */
const LOOK_LIFETIME_MS = 1_000;

export interface WatchedFileRules {
  readonly file: string;
  /** a longer file is refused */
  readonly mostBytes: number;
  /** The part of the content that is used. @throws Error that says what is wrong with it */
  readonly parse: (text: string) => string;
  /** The error when the file cannot be used. @param problem such as: it is empty */
  readonly failure: (problem: string, cause: unknown) => Error;
}

/**
 * A small file that others replace, as Kubernetes does with a mounted volume. It is read when it is needed and was not looked at
 * for a second. While it cannot be used, what was read before holds, so that a replacement in two steps fails no request.
 */
export class WatchedFile {
  readonly #rules: WatchedFileRules;
  readonly #log: Log;
  #look: Promise<string> | undefined;
  #lookedAt = 0;
  #last: string | undefined;
  #isBad = false;

  constructor(rules: WatchedFileRules, log: Log) {
    this.#rules = rules;
    this.#log = log;
  }

  /** @throws the rules' failure when the file could not be used yet */
  async current(): Promise<string> {
    try {
      return await this.#content(LOOK_LIFETIME_MS);
    } catch (error) {
      if (this.#last === undefined) throw error;
      if (!this.#isBad) this.#log.warn({ err: error }, 'what the file had before is used');
      this.#isBad = true;
      return this.#last;
    }
  }

  /** What the file has now. @throws the rules' failure */
  async now(): Promise<string> {
    return await this.#content(0);
  }

  #content(lifetimeMs: number): Promise<string> {
    if (this.#look === undefined || performance.now() - this.#lookedAt >= lifetimeMs) {
      this.#lookedAt = performance.now();
      this.#look = this.#read();
      // Who waits for it gets the error.
      this.#look.catch(() => {});
    }
    return this.#look;
  }

  async #read(): Promise<string> {
    const { file, mostBytes, parse, failure } = this.#rules;
    try {
      this.#last = parse(await textOf(file, mostBytes));
      this.#isBad = false;
      return this.#last;
    } catch (error) {
      throw failure((error as Error).message, error);
    }
  }
}

async function textOf(file: string, mostBytes: number): Promise<string> {
  // A pipe without a writer would hold a thread of the pool for ever, unless it is opened without waiting.
  const handle = await promises.open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw new Error('it is no regular file');
    const bytes = Buffer.alloc(mostBytes + 1);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    if (bytesRead > mostBytes) throw new Error(`it has more than ${mostBytes} bytes`);
    return bytes.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
