// The bounds: the least that a server on Node can do for a PUT and a GET whose bytes it hashes.
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { announce } from './announce.ts';

const stored = new Map<number, Buffer>();
const READ_BYTES = 512 * 1024;

const server = createServer((request, response) => {
  if (request.method === 'PUT') return receive(request, response);
  const key = new URL(request.url ?? '', 'http://bound').searchParams.get('key') ?? '';
  const size = Number(request.headers['x-payload-expected-content-length']);
  if (key.startsWith('/memory')) return sendFromMemory(size, response);
  void sendFromFile(key, size, response);
});

function receive(request: IncomingMessage, response: ServerResponse): void {
  const size = Number(request.headers['content-length']);
  const buffer = preallocated(size);
  const hash = createHash('sha256');
  let filled = 0;
  request.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    filled += chunk.copy(buffer, filled);
  });
  request.on('end', () => {
    const body = JSON.stringify({ Key: hash.digest('hex') });
    response.writeHead(201, { 'Content-Length': body.length }).end(body);
  });
}

function sendFromMemory(size: number, response: ServerResponse): void {
  const buffer = preallocated(size);
  createHash('sha256').update(buffer).digest('hex');
  response.writeHead(200, { 'Content-Length': size }).end(buffer);
}

async function sendFromFile(path: string, size: number, response: ServerResponse): Promise<void> {
  const file = await open(path);
  const hash = createHash('sha256');
  response.writeHead(200, { 'Content-Length': size });
  for (let sent = 0; sent < size; ) {
    const { bytesRead, buffer } = await file.read({
      buffer: Buffer.allocUnsafeSlow(Math.min(READ_BYTES, size)),
    });
    const chunk = buffer.subarray(0, bytesRead);
    hash.update(chunk);
    sent += bytesRead;
    if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve));
  }
  hash.digest('hex');
  response.end();
  await file.close();
}

function preallocated(size: number): Buffer {
  const buffer = stored.get(size) ?? Buffer.alloc(size, 'large payload ');
  stored.set(size, buffer);
  return buffer;
}

announce(server);
