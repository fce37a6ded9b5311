import type { AddressInfo, Server } from 'node:net';

/** Lets a server listen on any port of loopback, and prints the line that `ServerProcess` waits for. */
export function announce(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    process.stdout.write(`${JSON.stringify({ msg: 'listening', data: `127.0.0.1:${port}` })}\n`);
  });
  process.on('SIGTERM', () => process.exit(0));
}
