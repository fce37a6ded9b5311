import { createHash, randomFillSync } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { request as requestOverTls } from 'node:https';
import { Readable } from 'node:stream';
import { memoryOf } from '../processes/process-facts.ts';
import { keyOf } from './http-call.ts';
import { getHeaders, getPath, METADATA_HEADER, OCTETS, putPath } from './payload.ts';
import type { ServingProcess } from './real-program.ts';

const MEBIBYTE = 1024 * 1024;
const SIZE = 1024 * MEBIBYTE;
/** Bytes of memory that the service may use for one transfer of any size: the sidecar's memory request. */
export const MEMORY_LIMIT = 192 * MEBIBYTE;

const block = randomFillSync(Buffer.alloc(MEBIBYTE));

/** Puts and gets 1 GiB, verified; over TLS with the authority `ca`. @returns the most memory that the service then had, bytes @throws when other bytes come back */
export async function peakMemoryOfGibibyte(service: ServingProcess, ca?: string): Promise<number> {
  const { pid } = service.process;
  const idle = memoryOf(pid, 'VmRSS') * MEBIBYTE;
  const digest = await digestOf(generatedBody());
  const ask: Ask = (path, options, onAnswer) =>
    ca === undefined
      ? request(`http://${service.data}${path}`, options, onAnswer)
      : requestOverTls(`https://${service.data}${path}`, { ...options, ca }, onAnswer);
  const key = await putBody(ask, digest);
  const got = await digestOfGet(ask, key);
  if (got !== digest) throw new Error(`put ${digest}, got ${got}`);
  const peak = memoryOf(pid, 'VmHWM') * MEBIBYTE;
  const told = (bytes: number) => `${Math.round(bytes / MEBIBYTE)} MiB`;
  console.log(`resident: ${told(idle)} idle, ${told(peak)} at most for a PUT and a GET of ${told(SIZE)}`);
  return peak;
}

type Ask = (
  path: string,
  options: RequestOptions,
  onAnswer: (answer: IncomingMessage) => void,
) => ClientRequest;

/** A body generated while it is sent. No mebibyte is like another, and no buffer is reused: the socket may still hold it. */
function generatedBody(): Readable {
  const parts = function* () {
    for (let at = 0; at < SIZE; at += MEBIBYTE) {
      const part = Buffer.from(block);
      part.writeDoubleLE(at);
      yield part;
    }
  };
  return Readable.from(parts());
}

async function digestOf(body: Readable): Promise<string> {
  const running = createHash('sha256');
  for await (const chunk of body) running.update(chunk);
  return `sha256:${running.digest('hex')}`;
}

function putBody(ask: Ask, digest: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      'Content-Type': OCTETS,
      'Content-Length': SIZE,
      'X-Temporal-Metadata': METADATA_HEADER,
    };
    const options = { method: 'PUT', headers, agent: false } as const;
    const outgoing = ask(putPath('orders', digest), options, async (response) => {
      const body = Buffer.concat(await response.toArray());
      if (response.statusCode === 201) resolve(keyOf({ status: 201, headers: {}, body }));
      else reject(new Error(`${response.statusCode}: ${body}`));
    });
    generatedBody().pipe(outgoing.once('error', reject));
  });
}

function digestOfGet(ask: Ask, key: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { headers: getHeaders(SIZE), agent: false } as const;
    const outgoing = ask(getPath(key), options, (response) => {
      digestOf(response).then(resolve, reject);
    });
    outgoing.once('error', reject).end();
  });
}
