import { readSmallFile } from './small-file.ts';

const readAgainMs = 1_000;
const longestReadMs = 5_000;

export interface RenewedFileRules<Value> {
  readonly path: string;
  readonly mostBytes: number;
  /** @throws Error that says what is wrong with the text */
  readonly parse: (text: string) => Value;
  /** Called when the last value stays in use because the file cannot be used any more; once until the file is good again. */
  readonly onKept?: (problem: unknown) => void;
}

/**
 * A small file that another program replaces from time to time, as the kubelet replaces tokens. Its value is at most a
 * second old. While the file cannot be used, its last value stays: a file may be empty while it is being written.
 */
export class RenewedFile<Value> {
  readonly #rules: RenewedFileRules<Value>;
  #last: { readonly text: string; readonly value: Value } | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<Value> | undefined;
  #isKept = false;

  constructor(rules: RenewedFileRules<Value>) {
    this.#rules = rules;
  }

  /**
   * @param refused the value that the peer refused, if any: the file is read again when that is still the last one
   * @throws Error when there is no other value: that of reading, or that of `parse`
   */
  async value(refused?: Value): Promise<Value> {
    const isFresh = performance.now() - this.#triedAt < readAgainMs;
    if (this.#last !== undefined && this.#last.value !== refused && isFresh) return this.#last.value;
    // A mount that hangs holds one thread, however often the value is needed.
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    try {
      return await withinTime(this.#reading);
    } catch (problem) {
      this.#triedAt = performance.now();
      if (this.#last === undefined || this.#last.value === refused) throw problem;
      if (!this.#isKept) this.#rules.onKept?.(problem);
      this.#isKept = true;
      return this.#last.value;
    }
  }

  async #read(): Promise<Value> {
    const { path, mostBytes, parse } = this.#rules;
    const text = await readSmallFile(path, mostBytes);
    if (text !== this.#last?.text) this.#last = { text, value: parse(text) };
    this.#triedAt = performance.now();
    this.#isKept = false;
    return this.#last.value;
  }
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
