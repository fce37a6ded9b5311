import { createReadStream } from 'node:fs';

const readAgainMs = 1_000;
const longestReadMs = 5_000;
const largestBytes = 1024 * 1024;

/**
 * A small file that another program replaces from time to time, as the kubelet replaces tokens. Its value is at most a
 * second old. When the file cannot be read any more, or holds nothing of use, its last value stays: a file may be empty
 * while it is being written.
 */
export class RenewedFile<Value> {
  readonly #path: string;
  readonly #parse: (text: string) => Value;
  #last: { readonly text: string; readonly value: Value } | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<Value> | undefined;

  /** @param parse throws an Error that says what is wrong with the text */
  constructor(path: string, parse: (text: string) => Value) {
    this.#path = path;
    this.#parse = parse;
  }

  /** @throws Error when there is no value: that of reading, or that of `parse` */
  async value(): Promise<Value> {
    const isFresh = performance.now() - this.#readAt < readAgainMs;
    if (this.#last !== undefined && isFresh) return this.#last.value;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Drops the value, because the peer refused it: the file is read before the next use. */
  forget(): void {
    this.#last = undefined;
  }

  async #read(): Promise<Value> {
    const last = this.#last;
    try {
      const text = await withinTime(textOf(this.#path));
      this.#last = text === last?.text ? last : { text, value: this.#parse(text) };
    } catch (failure) {
      if (last === undefined) throw failure;
      this.#last = last;
    }
    this.#readAt = performance.now();
    return this.#last.value;
  }
}

async function textOf(path: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of createReadStream(path, { end: largestBytes })) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (bytes.byteLength > largestBytes) throw new Error(`it has more than ${largestBytes} bytes`);
  return bytes.toString('utf8');
}

/** A mount that hangs answers neither a read nor a close. */
async function withinTime<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer for ${longestReadMs} ms`)), longestReadMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
