import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { manifestOn } from '@largepayload/testing/service/manifest';
import { writeCertificateSecret } from '@largepayload/testing/tls/secret-folder';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { writeClusterFolder } from '@largepayload/testing/tokens/cluster-folder';
import { TokenIssuer } from '@largepayload/testing/tokens/token-issuer';
import type { S3Location } from '../../src/drivers/s3/s3-client.ts';
import { ServerProcess } from '../processes/server-process.ts';
import { PROGRAM, runArguments } from '../processes/servers.ts';

const ANY_PORT = '127.0.0.1:0';
const STORE = { name: 'bench', namespace: 'orders' };

/** A worker's way to S3: a sidecar, and the gateway that it forwards to. */
export interface Chain {
  readonly sidecar: ServerProcess;
  readonly gateway: ServerProcess;
}

/** How a sidecar reaches its gateway: by TLS with tokens, as in a cluster, or by plain HTTP without. */
export type Link = 'tls' | 'plain';

/** Chains of one store, which end together. */
export class Chains implements AsyncDisposable {
  readonly #server: S3Server;
  readonly #issuer: TokenIssuer;
  readonly #folder: string;
  readonly #running: ServerProcess[] = [];

  private constructor(server: S3Server, issuer: TokenIssuer, folder: string) {
    this.#server = server;
    this.#issuer = issuer;
    this.#folder = folder;
  }

  /** Makes the certificate of the gateways and the token of the worker. */
  static async on(server: S3Server): Promise<Chains> {
    const folder = join(server.folder, 'chains');
    mkdirSync(folder, { recursive: true });
    const [authority, issuer] = [testAuthority(), await TokenIssuer.start()];
    writeFileSync(join(folder, 'ca.crt'), authority.certificate);
    writeFileSync(
      join(folder, 'token'),
      issuer.serviceAccountToken({ store: `${STORE.namespace}/${STORE.name}`, lifetime: 3_600 }),
    );
    await writeCertificateSecret(join(folder, 'tls'), authority.issue());
    await writeClusterFolder(join(folder, 'kubernetes'));
    return new Chains(server, issuer, folder);
  }

  /** @param sidecarOptions further ones, such as `--cache-size 64Mi` */
  async start(link: Link, s3: S3Location, ...sidecarOptions: readonly string[]): Promise<Chain> {
    const gateway = await this.startGateway(link, s3);
    return { gateway, sidecar: await this.startSidecar(link, gateway, ...sidecarOptions) };
  }

  async startGateway(link: Link, s3: S3Location): Promise<ServerProcess> {
    const config = join(this.#folder, `${link}.yaml`);
    const spec = { gateway: { authentication: link === 'tls' ? 'Token' : 'None' } };
    writeFileSync(config, manifestOn({ s3 }, { ...STORE, spec }));
    const access = [
      ...['--tls-dir', join(this.#folder, 'tls')],
      ...['--kubernetes-dir', join(this.#folder, 'kubernetes'), '--kubernetes-url', this.#issuer.url],
    ];
    return await this.#run(
      ...[...runArguments(config), '--role', 'gateway'],
      ...['--credentials-dir', this.#server.credentialsFolder],
      ...(link === 'tls' ? access : []),
    );
  }

  async startSidecar(
    link: Link,
    gateway: ServerProcess,
    ...options: readonly string[]
  ): Promise<ServerProcess> {
    const access = ['--token-file', join(this.#folder, 'token'), '--ca-file', join(this.#folder, 'ca.crt')];
    return await this.#run(
      ...[PROGRAM, 'sidecar', '--listen', ANY_PORT, '--metrics-listen', ANY_PORT],
      ...['--gateway-url', `${link === 'tls' ? 'https' : 'http'}://127.0.0.1:${gateway.port}`],
      ...(link === 'tls' ? access : []),
      ...options,
    );
  }

  async #run(...args: readonly string[]): Promise<ServerProcess> {
    const started = await ServerProcess.start(...args);
    this.#running.push(started);
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map((each) => each.stop('SIGKILL')));
    await this.#issuer[Symbol.asyncDispose]();
  }
}
