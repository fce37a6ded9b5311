import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { FaultRule } from './fault-rules.ts';
import { FaultyServer } from './faulty-server.ts';

// fault-proxy.ts ENDPOINT SEED: a proxy before the S3 server at ENDPOINT, controlled by a port of its own:
//   PUT /rules           the rules from now on, as JSON; `[]`: no faults
//   POST /refuse?ms=N    takes no connections for N ms; answers then
//   GET /observed        what it has seen so far
const [endpoint = '', seed = ''] = process.argv.slice(2);
const proxy = new FaultyServer(endpoint, Number(seed));

const control = createServer(async (request, response) => {
  try {
    const result = await obey(request);
    response.end(JSON.stringify(result));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});

async function obey(request: IncomingMessage): Promise<unknown> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://any');
  switch (`${request.method} ${pathname}`) {
    case 'PUT /rules':
      proxy.setRules((await json(request)) as FaultRule[]);
      return {};
    case 'POST /refuse':
      await proxy.refuse(Number(searchParams.get('ms')));
      return {};
    case 'GET /observed':
      return proxy.observations.observed;
    default:
      throw new Error(`unknown: ${request.method} ${pathname}`);
  }
}

const address = await proxy.listen();
control.listen(0, '127.0.0.1');
await once(control, 'listening');
const { port } = control.address() as AddressInfo;
console.log(JSON.stringify({ msg: 'listening', proxy: address, control: `127.0.0.1:${port}` }));
