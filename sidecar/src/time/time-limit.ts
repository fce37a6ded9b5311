import { StorageError } from '../errors/storage-error.ts';

/** A signal that is aborted after so many ms, with an error in words. @param what is waited for */
export function timeLimit(milliseconds: number, what: string): AbortSignal {
  const stop = new AbortController();
  const late = () =>
    stop.abort(new StorageError('timeout', `no answer within ${milliseconds / 1_000} s: ${what}`));
  setTimeout(late, milliseconds).unref();
  return stop.signal;
}
