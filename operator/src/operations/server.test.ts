import { connect } from 'node:net';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { listen } from './server.ts';

test('anything but a small request is refused, so that no caller can fill the memory', async () => {
  const server = await listen(new Registry(), () => undefined, { host: '127.0.0.1', port: 0 });
  try {
    const { hostname, port } = new URL(`http://${server.address}`);
    const answerTo = (text: string) =>
      new Promise<string>((resolve) => {
        let received = '';
        const socket = connect(Number(port), hostname, () => socket.write(text));
        socket.on('data', (chunk) => {
          received += chunk;
        });
        socket.on('error', () => {}).on('close', () => resolve(received));
      });
    const head = `GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Large: `;
    expect(await answerTo(`${head}${'a'.repeat(8_000)}\r\n\r\n`)).toMatch('HTTP/1.1 200 ');
    expect(await answerTo(`${head}${'a'.repeat(40_000)}`)).toMatch('HTTP/1.1 431 ');
    // A head that is never complete ends too.
    expect(await answerTo(head)).toMatch('HTTP/1.1 408 ');
  } finally {
    await server.close();
  }
});
