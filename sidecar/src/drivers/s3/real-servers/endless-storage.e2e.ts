import { setTimeout as sleep } from 'node:timers/promises';
import { memoryOf } from '@largepayload/testing/processes/process-facts';
import { call } from '@largepayload/testing/service/http-call';
import { manifestOn } from '@largepayload/testing/service/manifest';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import { metric } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { OwnObjects } from '../own-objects.fixture.ts';
import { type Exchange, listingFor, scriptedServer } from '../scripted-server.fixture.ts';

/** MiB, as for a million objects: pages of XML take 160 to 210 whatever their number. */
const MEMORY_LIMIT = 256;
/** ms in which thousands of pages are asked for, where nothing ends it */
const WATCHED = 15_000;

const { serve } = realProgram();

/** A bucket that takes and gives `store.json`, and whose listings somebody else makes. */
class HostileBucket {
  list: (query: URLSearchParams) => string = () => '';
  pages = 0;
  readonly #own = new OwnObjects();

  async answer(exchange: Exchange): Promise<void> {
    const { method, path, response, body } = exchange;
    if (await this.#own.answer(exchange)) return;
    const { searchParams } = new URL(path, 'http://bucket');
    if (method === 'POST') {
      await body();
      return void response.end('<DeleteResult/>');
    }
    if (!searchParams.has('list-type')) return void response.end('<VersioningConfiguration/>');
    this.pages += 1;
    response.end(listingFor(path, this.list(searchParams)));
  }
}

const more = (token: number, content: string) =>
  `<IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken>${content}`;
const thousand = (line: (index: number) => string) =>
  Array.from({ length: 1_000 }, (_, at) => line(at)).join('');
const pageOf = (query: URLSearchParams) => Number(query.get('continuation-token') ?? 0);
const windowAt = (second: number) =>
  `expires-${new Date(Date.UTC(2020, 0, 1) + second * 1_000).toISOString().replace(/[-:]|\.\d{3}/g, '')}-30d/`;
const folder = (name: string) => `<CommonPrefixes><Prefix>${name}</Prefix></CommonPrefixes>`;
const isOfWindows = (query: URLSearchParams) => query.has('delimiter') && query.get('prefix') === 'expires-';

const STORAGES: [string, (query: URLSearchParams) => string][] = [
  [
    'one token again and again',
    () =>
      more(
        1,
        thousand((index) => folder(windowAt(index))),
      ),
  ],
  [
    'one page again and again',
    (query) =>
      more(
        pageOf(query) + 1,
        thousand((at) => folder(windowAt(at))),
      ),
  ],
  ['ever new tokens and nothing else', (query) => more(pageOf(query) + 1, '')],
  [
    'ever new windows',
    (query) =>
      isOfWindows(query)
        ? more(
            pageOf(query) + 1,
            thousand((at) => folder(windowAt(pageOf(query) * 1_000 + at))),
          )
        : '',
  ],
  [
    'ever new namespaces in a window',
    (query) => {
      if (isOfWindows(query)) return folder(windowAt(0));
      if (query.get('prefix') !== windowAt(0) || !query.has('delimiter')) return '';
      const name = (at: number) => `n${String(pageOf(query) * 1_000 + at).padStart(12, '0')}`;
      return more(
        pageOf(query) + 1,
        thousand((at) => folder(`${windowAt(0)}${name(at)}/`)),
      );
    },
  ],
  [
    'ever new objects in a window',
    (query) => {
      if (isOfWindows(query)) return folder(windowAt(0));
      if (query.get('delimiter') !== null)
        return query.get('prefix') === windowAt(0) ? folder(`${windowAt(0)}orders/`) : '';
      const hex = (at: number) => (pageOf(query) * 1_000 + at).toString(16).padStart(64, '0');
      const object = (at: number) =>
        `<Contents><Key>${windowAt(0)}orders/common/sha256:${hex(at)}/sha256:${hex(at)}</Key><Size>9</Size></Contents>`;
      return more(pageOf(query) + 1, thousand(object));
    },
  ],
  ['a page of very many keys', () => thousand(() => thousand((at) => folder(windowAt(at))).slice(0, 3_900))],
];

const peakOf = (service: ServingProcess) => memoryOf(service.process.pid, 'VmHWM');

test.each(STORAGES)(
  'a storage that lists %s takes a bounded memory',
  async (title, list) => {
    const bucket = new HostileBucket();
    const server = await scriptedServer((exchange) => bucket.answer(exchange));
    const manifest = manifestOn({ s3: server.location }, { ttl: '30d' });
    await using service = await serve({ manifest, args: ['--credentials-dir', server.credentialsFolder] });
    bucket.list = list;
    const before = bucket.pages;
    await eventually('a pass has begun', () => bucket.pages > before, 30_000);
    const usage = fetch(`http://${service.admin}/admin/payload-store/usage`, {
      signal: AbortSignal.timeout(WATCHED),
    })
      .then((answer) => answer.body?.pipeTo(new WritableStream()))
      .catch(() => {});
    await sleep(WATCHED);
    await usage;
    const { reaper } = JSON.parse((await call(service.metrics, '/status')).body.toString());
    const deleted = await metric(service, 'payload_store_cleanup_deleted_total');
    console.info(
      `${title}: ${peakOf(service).toFixed(0)} MiB, ${bucket.pages} pages, ${deleted} deleted, ${JSON.stringify(reaper)}`,
    );
    expect(peakOf(service)).toBeLessThanOrEqual(MEMORY_LIMIT);
  },
  120_000,
);
