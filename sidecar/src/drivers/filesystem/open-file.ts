import {
  close,
  closeSync,
  constants,
  fdatasync,
  fstat,
  fstatSync,
  fsync,
  open,
  openSync,
  read,
  type Stats,
  write,
} from 'node:fs';

/**
 * An open file or folder. Its calls have callbacks, because a call of a `FileHandle` costs a third more processor time. They run
 * in the thread pool, so that a mount that hangs does not stop the whole process (docs/adr/0017).
 */
export class OpenFile {
  readonly #descriptor: number;
  readonly #isRecent: boolean;
  #callsUnderWay = 0;
  #onLastCall: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  private constructor(descriptor: number, isRecent = false) {
    this.#descriptor = descriptor;
    this.#isRecent = isRecent;
  }

  /** The caller has to close the file: the collector does not. */
  static open(path: string, flags: number, mode?: number): Promise<OpenFile> {
    return new Promise((resolve, reject) => {
      open(path, flags, mode, (error, descriptor) => {
        if (error === null) resolve(new OpenFile(descriptor));
        else reject(error);
      });
    });
  }

  /** Opens a file for reading on the main thread, and closes it there: only for files that `RecentPaths` has. */
  static async openNow(path: string): Promise<{ file: OpenFile; status: Stats }> {
    // A pipe without a writer would stop the process.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return { file: new OpenFile(descriptor, true), status: fstatSync(descriptor) };
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  status(): Promise<Stats> {
    return this.#call((descriptor, done) => fstat(descriptor, done));
  }

  /** Reads from where the last read ended, until the buffer is full at most. @returns the number of bytes: 0 at the end of the file */
  read(buffer: Buffer, offset: number): Promise<number> {
    return this.#call((descriptor, done) =>
      read(descriptor, buffer, offset, buffer.length - offset, null, done),
    );
  }

  /** Writes where the last write ended. @returns the number of bytes, which may be fewer than given (write(2)) */
  write(buffer: Buffer, offset: number): Promise<number> {
    return this.#call((descriptor, done) =>
      write(descriptor, buffer, offset, buffer.length - offset, null, done),
    );
  }

  /** fdatasync(2) */
  datasync(): Promise<void> {
    return this.#call((descriptor, done) => fdatasync(descriptor, done));
  }

  /** fsync(2) */
  sync(): Promise<void> {
    return this.#call((descriptor, done) => fsync(descriptor, done));
  }

  /** Closes the file once, after all calls under way: a closed descriptor may become another file's at once. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#callsUnderWay > 0) {
      await new Promise<void>((resolve) => {
        this.#onLastCall = resolve;
      });
    }
    // The close of a file that has no name any more frees its blocks, and may wait for the disk.
    if (this.#isRecent && fstatSync(this.#descriptor).nlink > 0) return closeSync(this.#descriptor);
    await new Promise<void>((resolve, reject) => {
      close(this.#descriptor, (error) => (error == null ? resolve() : reject(error)));
    });
  }

  #call<T>(begin: (descriptor: number, done: Done<T>) => void): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      this.#callsUnderWay += 1;
      begin(this.#descriptor, (error, value) => {
        this.#callsUnderWay -= 1;
        if (this.#callsUnderWay === 0) this.#onLastCall?.();
        if (error == null) resolve(value as T);
        else reject(error);
      });
    });
  }
}

type Done<T> = (error: NodeJS.ErrnoException | null | undefined, value?: T) => void;

function closedError(): NodeJS.ErrnoException {
  return Object.assign(new Error('EBADF: the file is closed'), { code: 'EBADF' });
}
