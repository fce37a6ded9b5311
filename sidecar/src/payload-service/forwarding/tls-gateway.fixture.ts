import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket, TlsOptions } from 'node:tls';
import type { TestCertificate } from '@largepayload/testing/tls/test-authority';
import { onTestFinished } from 'vitest';

export interface TlsGateway {
  readonly url: string;
  readonly port: number;
  /** `Authorization` of each request; `undefined`: none */
  readonly tokens: (string | undefined)[];
  /** of TLS, of each request */
  readonly protocols: (string | null)[];
  /** connections that were accepted */
  readonly connections: () => number;
  /** The certificate of new connections. */
  use(certificate: TestCertificate): void;
  /** Closes connections that no request uses. */
  closeIdle(): void;
}

/** An HTTPS server with this listener, which answers `Expect: 100-continue` too. It ends with the test. */
export async function tlsGateway(
  { certificate, key }: TestCertificate,
  listener: RequestListener,
  options: TlsOptions = {},
): Promise<TlsGateway> {
  const [tokens, protocols]: [(string | undefined)[], (string | null)[]] = [[], []];
  let connections = 0;
  const server = createServer({ cert: certificate, key, ...options });
  const handle: RequestListener = (request, response) => {
    tokens.push(request.headers.authorization);
    protocols.push((request.socket as TLSSocket).getProtocol());
    listener(request, response);
  };
  // The listener answers `Expect` itself, as a gateway does.
  server.on('request', handle).on('checkContinue', handle);
  server.on('connection', () => {
    connections += 1;
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    ...{ url: `https://localhost:${port}`, port, tokens, protocols },
    connections: () => connections,
    use: (other) => server.setSecureContext({ cert: other.certificate, key: other.key }),
    closeIdle: () => server.closeIdleConnections(),
  };
}

/** A folder of files that end with the test. */
export async function filesOfTest() {
  const folder = await mkdtemp(join(tmpdir(), 'sidecar-files-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = (name: string) => join(folder, name);
  /** Replaces the file as a whole, as a kubelet does. */
  const write = async (name: string, content: string | Buffer) => {
    await writeFile(path(`${name}.new`), content);
    await rename(path(`${name}.new`), path(name));
    return path(name);
  };
  return { path, write };
}
