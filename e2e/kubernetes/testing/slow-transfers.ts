import { createHash, randomFillSync } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeaders, getPath, METADATA_HEADER, OCTETS, putPath } from '@largepayload/testing/service/payload';

export const MEBIBYTE = 1024 * 1024;
/** ms without a byte either way, after which a transfer is not slow but stuck */
const SILENCE = 45_000;
const SILENT = `nothing has moved for ${SILENCE / 1_000} s`;
const block = randomFillSync(Buffer.alloc(MEBIBYTE));

/** A payload that is generated as it is sent, no two mebibytes of it alike. */
export class SlowPayload {
  readonly size: number;
  readonly digest: string;
  readonly #salt = Math.random();

  /** @param mebibytes its size */
  constructor(mebibytes: number) {
    this.size = mebibytes * MEBIBYTE;
    const hash = createHash('sha256');
    for (const part of this.#parts()) hash.update(part);
    this.digest = `sha256:${hash.digest('hex')}`;
  }

  /** Takes at least so long. @returns the key @throws Error with what was answered instead of 201 */
  put(url: string, seconds: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = {
        'Content-Type': OCTETS,
        'Content-Length': this.size,
        'X-Temporal-Metadata': METADATA_HEADER,
      };
      const path = putPath('orders', this.digest);
      const outgoing = request(url + path, { method: 'PUT', headers, agent: false }, async (response) => {
        const text = Buffer.concat(await response.toArray()).toString();
        if (response.statusCode === 201) resolve((JSON.parse(text) as { Key: string }).Key);
        else reject(new Error(`${response.statusCode}: ${text}`));
      });
      outgoing.once('error', reject).setTimeout(SILENCE, () => outgoing.destroy(new Error(SILENT)));
      Readable.from(paced(this.#parts(), this.size, seconds), { objectMode: false }).pipe(outgoing);
    });
  }

  /** Takes at least so long. @throws Error when it is not this payload that comes */
  async get(url: string, key: string, seconds = 0): Promise<void> {
    const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      const options = { headers: getHeaders(this.size), agent: false };
      const asking = request(url + getPath(key), options, resolve);
      asking.once('error', reject).setTimeout(SILENCE, () => asking.destroy(new Error(SILENT)));
      asking.end();
    });
    const hash = createHash('sha256');
    for await (const chunk of paced(response, this.size, seconds)) hash.update(chunk);
    const got = `sha256:${hash.digest('hex')}`;
    if (got !== this.digest) throw new Error(`put ${this.digest}, got ${got} (${response.statusCode})`);
  }

  *#parts(): Generator<Buffer> {
    for (let at = 0; at < this.size; at += MEBIBYTE) {
      // New ones, as the socket may still hold the last.
      const part = Buffer.from(block);
      part.writeDoubleLE(at + this.#salt);
      yield part;
    }
  }
}

/** Passes the chunks on so that all bytes take at least so long. */
async function* paced(
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
  size: number,
  seconds: number,
): AsyncGenerator<Buffer> {
  const began = performance.now();
  let passed = 0;
  for await (const chunk of chunks) {
    passed += chunk.length;
    const ahead = began + (passed / size) * seconds * 1_000 - performance.now();
    if (ahead > 1) await sleep(ahead);
    yield chunk;
  }
}
