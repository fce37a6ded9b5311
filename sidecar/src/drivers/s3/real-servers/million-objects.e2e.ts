import { memoryOf } from '@largepayload/testing/processes/process-facts';
import { manifestOn } from '@largepayload/testing/service/manifest';
import { realProgram } from '@largepayload/testing/service/real-program';
import { metric } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { OwnObjects } from '../own-objects.fixture.ts';
import { type Exchange, listingFor, scriptedServer } from '../scripted-server.fixture.ts';

const OBJECTS = 1_000_000;
const PAGE = 1_000;
const LIVE = 'expires-20991231T000000Z-30d/';
const EXPIRED = 'expires-20200101T000000Z-30d/';
/** MiB. Pages of XML take 160 to 210 whatever their number; a million names would take hundreds more. */
const MEMORY_LIMIT = 256;

const { serve } = realProgram();

/** A bucket of so many objects in one window, whose first ones go as they are deleted. No real server makes them in time. */
class SimulatedBucket {
  window = LIVE;
  #deleted = 0;
  readonly #own = new OwnObjects();

  async answer(exchange: Exchange): Promise<void> {
    const { method, response } = exchange;
    const { searchParams } = new URL(exchange.path, 'http://bucket');
    if (await this.#own.answer(exchange)) return;
    if (method === 'POST') return await this.#delete(exchange);
    if (!searchParams.has('list-type')) return void response.writeHead(200).end('<VersioningConfiguration/>');
    const prefix = searchParams.get('prefix') ?? '';
    const namespace = `${this.window}orders/`;
    const isThere = namespace.startsWith(prefix) && this.#deleted < OBJECTS;
    if (searchParams.has('delimiter')) {
      const name = prefix === this.window ? namespace : this.window;
      const folder = isThere ? `<CommonPrefixes><Prefix>${name}</Prefix></CommonPrefixes>` : '';
      return void response.end(listingFor(exchange.path, folder));
    }
    const isWindow = prefix === this.window || prefix === namespace;
    const wanted = isWindow ? Number(searchParams.get('continuation-token') ?? 0) : OBJECTS;
    response.end(listingFor(exchange.path, this.#page(Math.max(wanted, this.#deleted))));
  }

  #page(from: number): string {
    const end = Math.min(from + PAGE, OBJECTS);
    let objects = '';
    for (let index = from; index < end; index += 1) {
      objects += `<Contents><Key>${this.#nameOf(index)}</Key><Size>1000</Size></Contents>`;
    }
    const next = end < OBJECTS ? `<NextContinuationToken>${end}</NextContinuationToken>` : '';
    return `<IsTruncated>${end < OBJECTS}</IsTruncated>${next}${objects}`;
  }

  async #delete({ response, body }: Exchange): Promise<void> {
    const keys = (await body()).toString().match(/<Key>[^<]*<\/Key>/g) ?? [];
    this.#deleted += keys.filter((key) => key.includes(this.window)).length;
    const deleted = keys.map((key) => `<Deleted>${key}</Deleted>`).join('');
    response.end(`<DeleteResult>${deleted}</DeleteResult>`);
  }

  #nameOf(index: number): string {
    const hex = index.toString(16).padStart(64, '0');
    return `${this.window}orders/common/sha256:${hex}/sha256:${hex}`;
  }
}

test('1,000,000 objects are counted and reaped in a bounded memory', async () => {
  const bucket = new SimulatedBucket();
  const server = await scriptedServer((exchange) => bucket.answer(exchange));
  const manifest = manifestOn({ s3: server.location }, { ttl: '30d' });
  await using service = await serve({ manifest, args: ['--credentials-dir', server.credentialsFolder] });

  const counted = await fetch(`http://${service.admin}/admin/payload-store/usage`);
  const lines = (await counted.text()).trimEnd().split('\n');
  expect(JSON.parse(lines.at(-2) ?? '')).toMatchObject({ objects: OBJECTS, bytes: OBJECTS * 1_000 });
  expect(JSON.parse(lines.at(-1) ?? '')).toEqual({ done: true });

  bucket.window = EXPIRED;
  const deleted = () => metric(service, 'payload_store_cleanup_deleted_total');
  await eventually('all are reaped', async () => (await deleted()) === OBJECTS, 240_000);
  const peak = memoryOf(service.process.pid, 'VmHWM');
  console.info(`counting and reaping 1,000,000 objects: ${peak.toFixed(0)} MiB at most`);
  expect(peak).toBeLessThanOrEqual(MEMORY_LIMIT);
}, 300_000);
