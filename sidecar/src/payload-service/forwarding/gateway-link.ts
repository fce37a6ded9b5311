import { type DirectAgents, directAgents } from '../../http-client/direct-agents.ts';
import { exchange } from '../../http-client/exchange.ts';
import type { Limits } from '../../http-client/limits.ts';
import type { RequestBody, TransportAnswer, TransportOptions } from '../../http-client/transport.ts';
import type { Log } from '../../log/log.ts';
import { isCertificateFault, isTokenFault } from './gateway-failures.ts';
import { caFile, type GatewayFile, tokenFile } from './gateway-files.ts';
import type { GatewayRequest } from './gateway-requests.ts';
import { GATEWAY_LIMITS } from './time-limits.ts';

export interface GatewaySettings {
  /** `https:`; `http:` on this machine only: it neither sends the token nor verifies the gateway */
  readonly url: URL;
  readonly tokenFile?: string | undefined;
  /** the authorities that are trusted to sign the gateway's certificate; `undefined`: those that Node trusts */
  readonly caFile?: string | undefined;
  /** for tests */
  readonly limits?: Partial<Limits> | undefined;
}

/** What a request shows the gateway, and by what it trusts it. */
export interface GatewayAccess {
  readonly token: string | undefined;
  /** PEM */
  readonly authorities: string | undefined;
}

/** The connections to a gateway, with the token and the authorities of its requests. */
export class GatewayLink {
  readonly #url: URL;
  readonly #isSecure: boolean;
  readonly #agents: DirectAgents;
  readonly #token: GatewayFile | undefined;
  readonly #authorities: GatewayFile | undefined;

  constructor({ url, tokenFile: token, caFile: authorities, limits }: GatewaySettings, log: Log) {
    this.#url = url;
    this.#isSecure = url.protocol === 'https:';
    const port = Number(url.port) || (this.#isSecure ? 443 : 80);
    this.#agents = directAgents({ hostname: url.hostname, port }, { ...GATEWAY_LIMITS, ...limits });
    if (!this.#isSecure) return;
    if (token !== undefined) this.#token = tokenFile(token, log);
    if (authorities !== undefined) this.#authorities = caFile(authorities, log);
  }

  /** for messages */
  get name(): string {
    return this.#url.origin;
  }

  /** What the files have. @throws ServiceError `token_unreadable`, `ca_unreadable` */
  async access(): Promise<GatewayAccess> {
    const token = await this.#token?.value();
    return { token, authorities: await this.#authorities?.value() };
  }

  /** Makes one request. @throws as `exchange` */
  async send(
    { token, authorities }: GatewayAccess,
    request: GatewayRequest,
    body: RequestBody | undefined,
    options: TransportOptions,
  ): Promise<TransportAnswer> {
    const { protocol, hostname, port, pathname } = this.#url;
    if (this.#isSecure) this.#agents.trust(authorities);
    const headers = { ...request.headers, ...(token !== undefined && { Authorization: `Bearer ${token}` }) };
    const path = `${pathname.replace(/\/+$/, '')}${request.path}`;
    const address = { protocol, hostname, port: port === '' ? undefined : Number(port) };
    return await exchange(this.#agents, { ...request, ...address, path, headers, body }, options);
  }

  /**
   * Reads the token again after the gateway refused it, and the authorities after the gateway's certificate was not trusted.
   * @param access that of the request that failed
   * @returns whether there are others now, so that the request is worth repeating
   * @throws ServiceError `token_unreadable`, `ca_unreadable`
   */
  async hasOtherAccess({ token, authorities }: GatewayAccess, failure: unknown): Promise<boolean> {
    if (this.#token !== undefined && isTokenFault(failure)) return (await this.#token.value(token)) !== token;
    if (this.#authorities === undefined || !isCertificateFault(failure)) return false;
    return (await this.#authorities.value(authorities)) !== authorities;
  }

  /** A gateway did not answer, and kept connections may lead to it too. */
  dropKeptConnections(): void {
    this.#agents.closeIdle();
  }

  close(): void {
    this.#agents.close();
  }
}
