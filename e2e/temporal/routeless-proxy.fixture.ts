import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy before a service. While it has no route to the service it answers as Envoy does, with an empty 404. */
export interface RoutelessProxy extends AsyncDisposable {
  readonly url: string;
  hasRoute: boolean;
  /** Requests that were answered 404. */
  refused: number;
}

export async function routelessProxy(serviceUrl: string): Promise<RoutelessProxy> {
  const server = createServer((request, response) => {
    if (!proxy.hasRoute) {
      proxy.refused += 1;
      request.resume();
      response.writeHead(404, { Server: 'envoy', 'Content-Length': '0' }).end();
      return;
    }
    const { method, headers } = request;
    const forwarded = httpRequest(new URL(request.url ?? '', serviceUrl), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    request.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: RoutelessProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hasRoute: false,
    refused: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
