import { ServiceError } from '../../errors/service-error.ts';
import type { Log } from '../../log/log.ts';
import { WatchedFile } from './watched-file.ts';

/** Tokens of Kubernetes have 1 to 2 KiB, and a gateway takes 256 KiB of headers. */
const LARGEST_TOKEN = 16 * 1024;
/** RFC 6750, 2.1: `b64token` */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** The token of this process for the gateway. Failures are `token_unreadable`; no message has a part of the token. */
export function tokenFile(file: string, log: Log): WatchedFile {
  const failure = (problem: string, cause: unknown) =>
    new ServiceError(
      'token_unreadable',
      `the token file ${file} cannot be used: ${problem}; mount a projected service account token there, or correct --token-file`,
      { cause },
    );
  return new WatchedFile({ file, mostBytes: LARGEST_TOKEN, parse: parseToken, failure }, log);
}

/** @throws Error that says what is wrong */
export function parseToken(text: string): string {
  const token = text.trim();
  if (token === '') throw new Error('it is empty');
  if (/[\r\n]/.test(token)) throw new Error('it has more than one line');
  if (!TOKEN.test(token)) throw new Error('it has characters that no token has');
  return token;
}
