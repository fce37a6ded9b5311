import { RenewedFile } from '@largepayload/codec/files/renewed-file';
import {
  certificatesIn,
  largestAuthorities,
  longestToken,
  tokenIn,
} from '@largepayload/codec/files/token-and-authorities';
import { type ErrorCode, ServiceError } from '../../errors/service-error.ts';
import type { Log } from '../../log/log.ts';

/** A file of the pod. */
export interface GatewayFile {
  /**
   * What the file has, as of the last second; while it cannot be used, what it had before.
   * @param refused what the gateway refused, if anything: the file is read again when that is still the value
   * @throws ServiceError `token_unreadable`, `ca_unreadable`
   */
  value(refused?: string): Promise<string>;
}

/** The token of this process for the gateway. No message has a part of the token. */
export function tokenFile(path: string, log: Log): GatewayFile {
  return gatewayFile({ path, mostBytes: longestToken, parse: tokenIn }, log, {
    code: 'token_unreadable',
    name: `the token file ${path}`,
    advice: 'mount a projected service account token there, or correct --token-file',
  });
}

/** The certificates (PEM) of the authorities that are trusted to sign the gateway's certificate. */
export function caFile(path: string, log: Log): GatewayFile {
  const parse = (text: string) => certificatesIn(text).join('\n');
  return gatewayFile({ path, mostBytes: largestAuthorities, parse }, log, {
    code: 'ca_unreadable',
    name: `the CA file ${path}`,
    advice: "mount ca.crt of the store's CA ConfigMap there, or correct --ca-file",
  });
}

interface Failure {
  readonly code: ErrorCode;
  readonly name: string;
  readonly advice: string;
}

function gatewayFile(
  rules: ConstructorParameters<typeof RenewedFile<string>>[0],
  log: Log,
  { code, name, advice }: Failure,
): GatewayFile {
  const failure = (cause: unknown) =>
    new ServiceError(code, `${name} cannot be used: ${(cause as Error).message}; ${advice}`, { cause });
  const onKept = (problem: unknown) =>
    log.warn({ err: failure(problem) }, 'the last content of the file stays in use');
  const file = new RenewedFile({ ...rules, onKept });
  return {
    value: (refused) => file.value(refused).catch((problem) => Promise.reject(failure(problem))),
  };
}
