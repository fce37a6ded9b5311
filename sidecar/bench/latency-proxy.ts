// Passes bytes between a client and a server, each way 10 ms late: 20 ms more for every round trip.
import { connect, createServer, type Socket } from 'node:net';

const ONE_WAY_DELAY = 10;
const port = Number(process.argv[2]);

const server = createServer((client) => {
  const service = connect(port, '127.0.0.1');
  pass(client, service);
  pass(service, client);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const data = typeof address === 'object' ? `127.0.0.1:${address?.port}` : '';
  process.stdout.write(`${JSON.stringify({ msg: 'listening', data })}\n`);
});
process.on('SIGTERM', () => process.exit(0));

function pass(from: Socket, to: Socket): void {
  from.setNoDelay();
  from.on('data', (chunk) => setTimeout(() => to.write(chunk), ONE_WAY_DELAY));
  from.on('close', () => setTimeout(() => to.destroy(), ONE_WAY_DELAY));
  from.on('error', () => undefined);
}
