// Passes bytes between a client and a server, each way 10 ms late: 20 ms more for every round trip.
import { connect, createServer, type Socket } from 'node:net';
import { announce } from '../processes/announce.ts';

const ONE_WAY_DELAY = 10;
const port = Number(process.argv[2]);

const server = createServer((client) => {
  const service = connect(port, '127.0.0.1');
  pass(client, service);
  pass(service, client);
});
announce(server);

function pass(from: Socket, to: Socket): void {
  from.setNoDelay();
  from.on('data', (chunk) => setTimeout(() => to.write(chunk), ONE_WAY_DELAY));
  from.on('close', () => setTimeout(() => to.destroy(), ONE_WAY_DELAY));
  from.on('error', () => undefined);
}
