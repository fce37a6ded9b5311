import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { PayloadStoreUnavailableError } from '../wire/errors.ts';
import { RenewedFile } from './renewed-file.ts';
import { isLoopback } from './service-url.ts';

/** Bytes that a gateway takes; tokens of Kubernetes have 1 to 2 KiB. */
const longestToken = 16 * 1024;

/** RFC 6750, 2.1: the syntax of a bearer token. */
const tokenSyntax = /^[A-Za-z0-9._~+/-]+=*$/;

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

/** What requests show to a service, and which service they trust. */
export class ServiceAccess {
  readonly #isEncrypted: boolean;
  readonly #token: RenewedFile<string> | undefined;
  readonly #authorities: RenewedFile<SecureContext> | undefined;
  readonly #files: AccessFiles;
  #secureContext: SecureContext | undefined;

  /** @throws TypeError when a token would travel unencrypted, or a path is no path */
  constructor(url: URL, { tokenFile, caFile }: AccessFiles) {
    this.#files = { tokenFile: checkedPath('tokenFile', tokenFile), caFile: checkedPath('caFile', caFile) };
    this.#isEncrypted = url.protocol === 'https:';
    assertEncrypted(url, this.#files);
    this.#token = tokenFile === undefined ? undefined : new RenewedFile(tokenFile, tokenIn);
    this.#authorities = caFile === undefined ? undefined : new RenewedFile(caFile, contextOf);
  }

  /** Whether Node's own settings decide which server is trusted. */
  get trustsAsNode(): boolean {
    return this.#token === undefined && this.#authorities === undefined;
  }

  /** For the next new connection; undefined: Node's authorities. */
  get secureContext(): SecureContext | undefined {
    return this.#secureContext;
  }

  /**
   * Reads the files if it is time to, and resolves with the headers of one request.
   * @throws PayloadStoreUnavailableError `ca_unreadable`, `token_unreadable`
   */
  async headers(): Promise<Readonly<Record<string, string>>> {
    // Loopback: the sidecar shows its own token to the gateway, and a program that took its port must not get this one.
    if (!this.#isEncrypted) return {};
    this.#secureContext = await this.#authorities
      ?.value()
      .catch((cause) => Promise.reject(this.#unreadable('caFile', cause)));
    const token = await this.#token
      ?.value()
      .catch((cause) => Promise.reject(this.#unreadable('tokenFile', cause)));
    return token === undefined ? {} : { Authorization: `Bearer ${token}` };
  }

  /** The service did not take the token: its file is read before the next request. */
  tokenRefused(): void {
    this.#token?.forget();
  }

  /** The certificate of the server was not trusted: the file is read before the next request. */
  serverUntrusted(): void {
    this.#authorities?.forget();
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
  if (given.length === 0 || url.protocol === 'https:' || isLoopback(url)) return;
  const names = given.map((name) => `${name} (${variables[name]})`).join(' and ');
  throw new TypeError(
    `${names} cannot be used with ${url.origin}: without TLS, all machines on the way could read the token and the ` +
      `payloads. Use the https:// URL of the gateway, or leave out ${given.join(' and ')}`,
  );
}

function tokenIn(text: string): string {
  const token = text.trim();
  if (token === '') throw new Error('it is empty');
  if (token.length > longestToken) throw new Error(`it has more than ${longestToken} bytes`);
  // The text itself may be the secret, so it is never quoted.
  if (!tokenSyntax.test(token)) throw new Error('it must hold one token and nothing else');
  return token;
}

function contextOf(text: string): SecureContext {
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const begun = text.match(/-----BEGIN CERTIFICATE-----/g) ?? [];
  if (begun.length === 0) throw new Error('it has no certificate in PEM');
  // What a slow writer has written so far, for example.
  if (begun.length !== certificates.length) throw new Error('it has a certificate that is cut off');
  for (const certificate of certificates) assertCertificate(certificate);
  return createSecureContext({ ca: certificates });
}

/** OpenSSL ignores an authority that it cannot read. */
function assertCertificate(pem: string): void {
  try {
    new X509Certificate(pem);
  } catch (cause) {
    throw new Error('it has a certificate that cannot be read', { cause });
  }
}
