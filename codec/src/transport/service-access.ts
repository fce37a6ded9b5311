import { createSecureContext, type SecureContext } from 'node:tls';
import { RenewedFile } from '../files/renewed-file.ts';
import { certificatesIn, largestAuthorities, longestToken, tokenIn } from '../files/token-and-authorities.ts';
import { PayloadStoreUnavailableError } from '../wire/errors.ts';
import { isLoopback } from '../wire/loopback.ts';

/** For error messages. */
const variables = {
  tokenFile: 'LARGE_PAYLOAD_SERVICE_TOKEN_FILE',
  caFile: 'LARGE_PAYLOAD_SERVICE_CA_FILE',
} as const;

export interface AccessFiles {
  /**
   * File with the token that every request shows to a gateway: a projected service account token, or one of an OIDC
   * issuer. The file is read again when it changes. A token is sent by https only.
   */
  readonly tokenFile?: string | undefined;
  /**
   * File with the certificates, in PEM, of the authorities that are trusted in place of Node's own. New connections use
   * the file as it is then.
   */
  readonly caFile?: string | undefined;
}

/** A token that requests show, and the authorities of the service that they trust. */
interface Access {
  readonly token?: string | undefined;
  readonly secureContext?: SecureContext | undefined;
}

/** What requests show to a service, and which service they trust. */
export class ServiceAccess {
  readonly #isEncrypted: boolean;
  readonly #token: RenewedFile<string> | undefined;
  readonly #authorities: RenewedFile<SecureContext> | undefined;
  readonly #files: AccessFiles;
  #latest: Access = {};
  #refused: Access = {};

  /** @throws TypeError when a token would travel unencrypted, or a path is no path */
  constructor(url: URL, { tokenFile, caFile }: AccessFiles) {
    this.#files = { tokenFile: checkedPath('tokenFile', tokenFile), caFile: checkedPath('caFile', caFile) };
    this.#isEncrypted = url.protocol === 'https:';
    assertEncrypted(url, this.#files);
    if (tokenFile !== undefined)
      this.#token = new RenewedFile({ path: tokenFile, mostBytes: longestToken, parse: tokenIn });
    if (caFile !== undefined)
      this.#authorities = new RenewedFile({ path: caFile, mostBytes: largestAuthorities, parse: contextOf });
  }

  /** Whether Node's own settings decide which server is trusted. */
  get trustsAsNode(): boolean {
    return this.#token === undefined && this.#authorities === undefined;
  }

  /** For the next new connection; undefined: Node's authorities. */
  get secureContext(): SecureContext | undefined {
    return this.#latest.secureContext;
  }

  /**
   * Reads the files if it is time to, and resolves with the headers of one request.
   * @throws PayloadStoreUnavailableError `ca_unreadable`, `token_unreadable`
   */
  async headers(): Promise<Readonly<Record<string, string>>> {
    // Loopback: the sidecar shows its own token to the gateway, and a program that took its port must not get this one.
    if (!this.#isEncrypted) return {};
    const secureContext = await this.#authorities
      ?.value(this.#refused.secureContext)
      .catch((cause) => Promise.reject(this.#unreadable('caFile', cause)));
    const token = await this.#token
      ?.value(this.#refused.token)
      .catch((cause) => Promise.reject(this.#unreadable('tokenFile', cause)));
    this.#latest = { token, secureContext };
    this.#refused = {};
    return token === undefined ? {} : { Authorization: `Bearer ${token}` };
  }

  /** The service did not take the token: its file is read before the next request. */
  tokenRefused(): void {
    this.#refused = { ...this.#refused, token: this.#latest.token };
  }

  /** The certificate of the server was not trusted: the file is read before the next request. */
  serverUntrusted(): void {
    this.#refused = { ...this.#refused, secureContext: this.#latest.secureContext };
  }

  #unreadable(name: keyof typeof variables, cause: Error): PayloadStoreUnavailableError {
    const code = name === 'tokenFile' ? 'token_unreadable' : 'ca_unreadable';
    return new PayloadStoreUnavailableError(
      `the file of ${name}, ${this.#files[name]}, cannot be used: ${cause.message}. ` +
        `Write the file, or correct ${name} or ${variables[name]}; it is read again for each try`,
      { code, cause },
    );
  }
}

function checkedPath(name: keyof typeof variables, path: string | undefined): string | undefined {
  if (path === undefined || (typeof path === 'string' && path !== '')) return path;
  throw new TypeError(`option ${name}: must be the path of a file`);
}

function assertEncrypted(url: URL, files: AccessFiles): void {
  const given = (['tokenFile', 'caFile'] as const).filter((name) => files[name] !== undefined);
  if (given.length === 0 || url.protocol === 'https:' || isLoopback(url.hostname)) return;
  const names = given.map((name) => `${name} (${variables[name]})`).join(' and ');
  throw new TypeError(
    `${names} cannot be used with ${url.origin}: without TLS, all machines on the way could read the token and the ` +
      `payloads. Use the https:// URL of the gateway, or leave out ${given.join(' and ')}`,
  );
}

function contextOf(text: string): SecureContext {
  return createSecureContext({ ca: certificatesIn(text) });
}
