import { once } from 'node:events';
import { connect as connectByTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import {
  startService,
  type TestService,
  temporaryFolder,
} from '@largepayload/testing/service/running-service';
import { writeCertificateSecret } from '@largepayload/testing/tls/secret-folder';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { afterAll, beforeAll } from 'vitest';

const KIB = 1024;

export const AUTHORITY = testAuthority();
/** of a client that trusts the services of these tests */
export const TRUST = { ca: AUTHORITY.certificate };

/** Services that take TLS, for the tests of a file. */
export function tlsServices() {
  const services: Partial<Record<'usual' | 'small' | 'alsoSmall' | 'impatient', TestService>> = {};
  const started = (name: keyof typeof services): TestService => {
    const service = services[name];
    if (service === undefined) throw new Error('the services are not started yet');
    return service;
  };
  beforeAll(async () => {
    const tlsFolder = await folderWithCertificate();
    services.usual = await startService({ tlsFolder });
    const connections = {
      connections: 64,
      largeHeads: 4,
      largestHead: 256 * KIB,
      smallHead: 8 * KIB,
      handshakes: 4,
    };
    services.small = await startService({ tlsFolder, limits: { connections } });
    services.alsoSmall = await startService({ tlsFolder, limits: { connections } });
    services.impatient = await startService({ tlsFolder, limits: { headersTimeout: 2_000 } });
  });
  afterAll(() => Promise.all(Object.values(services).map((each) => each[Symbol.asyncDispose]())));
  return {
    get usual() {
      return started('usual');
    },
    /** Has 64 connections, and 4 handshakes at a time. */
    get small() {
      return started('small');
    },
    get alsoSmall() {
      return started('alsoSmall');
    },
    /** Gives a connection little time. A handshake is slow too on a busy machine, so only tests of slow ones use this service. */
    get impatient() {
      return started('impatient');
    },
  };
}

export async function folderWithCertificate(): Promise<string> {
  const folder = await temporaryFolder();
  await writeCertificateSecret(folder, AUTHORITY.issue());
  return folder;
}

export function targetOf(address: string) {
  const { hostname, port } = new URL(`http://${address}`);
  return { host: hostname, port: Number(port) };
}

/** Ends with what the server made of the handshake: the version of TLS and the protocol, or the error. */
export function handshake(address: string, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ ...targetOf(address), ...TRUST, ...options }, () => {
      resolve(`${socket.getProtocol()} ${socket.alpnProtocol}`);
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(`${error.code}`));
    socket.on('close', () => resolve('closed'));
  });
}

/** A TCP connection that sends these bytes and then nothing more. */
export async function openTcp(address: string, bytes: Buffer | undefined, localAddress = '127.0.0.1') {
  const socket: Socket = connectByTcp({ ...targetOf(address), localAddress });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  if (bytes !== undefined) socket.write(bytes);
  return { socket, closed, [Symbol.dispose]: () => void socket.destroy() };
}

/** The first record of a client: a hello of so many bytes, of which only the beginning is there. */
export function hello(declared: number, sent: number): Buffer {
  const record = Buffer.alloc(5 + sent);
  record.set([0x16, 3, 1]);
  record.writeUInt16BE(Math.min(declared + 4, 16 * KIB), 3);
  record.set([1, declared >> 16, (declared >> 8) & 0xff, declared & 0xff], 5);
  return record;
}
