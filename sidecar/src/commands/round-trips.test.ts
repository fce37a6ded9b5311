import { mkdir, readdir, readFile, rename, truncate, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { dirname, join } from 'node:path';
import { generatedBytes } from '@largepayload/testing/service/payload';
import { realProgram } from '@largepayload/testing/service/real-program';
import { filesIn, startService } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { describe, expect, test } from 'vitest';
import { objectPath } from '../drivers/filesystem/object-paths.ts';
import { type ExpiryWindow, parseWindowName, windowName } from '../keys/window.ts';

const { run, newFolder } = realProgram();

async function fileWith(content: Buffer | string): Promise<string> {
  const folder = await newFolder(crypto.randomUUID());
  const file = join(folder, 'file');
  await writeFile(file, content);
  return file;
}

const DAY_MS = 24 * 3_600_000;

/** Not the files of a moment by which a service asks the folder for its time. */
const payloadsIn = async (folder: string) =>
  (await filesIn(folder)).filter((path) => path.includes('expires-'));

/** Moves all payloads of the folder into the windows of payloads that were put so many ms earlier. */
async function ageBy(ms: number, folder: string): Promise<void> {
  for (const path of await payloadsIn(folder)) {
    const earlier = path.replace(/expires-[^/]+/, (name) => {
      const window = parseWindowName(name) as ExpiryWindow;
      return windowName({ ...window, end: window.end - ms });
    });
    const file = objectPath(folder, earlier);
    await mkdir(dirname(file), { recursive: true });
    await rename(objectPath(folder, path), file);
  }
}

describe.concurrent('put and get', () => {
  test('return the same bytes, from a file or standard input, to a file or standard output', async () => {
    await using service = await startService();
    const url = ['--url', `http://${service.data}`];
    for (const size of [0, 100, 5_000_000]) {
      const content = generatedBytes(size);
      const put = await run(['put', '--namespace', 'orders', ...url, await fileWith(content)]);
      expect(put).toMatchObject({ code: 0, stderr: '' });
      expect(JSON.parse(put.stdout.toString())).toMatchObject({
        size,
        key: expect.stringMatching('^/blobs/orders/'),
      });
      const output = join(await newFolder(crypto.randomUUID()), 'output');
      const toFile = await run(['get', ...url, '--output', output, await fileWith(put.stdout)]);
      expect(toFile).toMatchObject({
        code: 0,
        stdout: Buffer.alloc(0),
        stderr: expect.stringContaining('verified'),
      });
      expect((await readFile(output)).equals(content)).toBe(true);
      const piped = await run(['get', '-'], put.stdout, {
        LARGE_PAYLOAD_SERVICE_URL: `http://${service.data}`,
      });
      expect(piped).toMatchObject({ code: 0, stderr: '' });
      expect(piped.stdout.equals(content)).toBe(true);
      expect((await run(['put', '--namespace', 'orders', ...url, output])).stdout).toEqual(put.stdout);
    }
  });

  test.each([
    ['truncated', (file: string) => truncate(file, 2_999_999), 4],
    ['altered', (file: string) => writeFile(file, generatedBytes(3_000_000, 2)), 4],
    ['emptied', (file: string) => truncate(file, 0), 4],
  ])('of a payload %s end in integrity, and leave the output file as it was', async (_name, damage, code) => {
    await using service = await startService();
    const url = ['--url', `http://${service.data}`];
    const put = await run([
      'put',
      '--namespace',
      'orders',
      ...url,
      await fileWith(generatedBytes(3_000_000)),
    ]);
    const [stored = ''] = await filesIn(service.folder);
    await damage(objectPath(service.folder, stored));
    const output = await fileWith('from an earlier run');
    const got = await run(['get', ...url, '--output', output, '-'], put.stdout);
    expect(got).toMatchObject({ code, stdout: Buffer.alloc(0) });
    expect(await readFile(output, 'utf8')).toBe('from an earlier run');
    expect(await readdir(join(output, '..'))).toEqual(['file']);
    expect((await run(['get', ...url, '-'], put.stdout)).code).toBe(code);
  });

  test('of a payload that is not there end with 3', async () => {
    await using here = await startService();
    await using elsewhere = await startService();
    const put = await run([
      'put',
      '--namespace',
      'orders',
      '--url',
      `http://${here.data}`,
      await fileWith('lost'),
    ]);
    const got = await run(['get', '--url', `http://${elsewhere.data}`, '-'], put.stdout);
    expect(got).toMatchObject({ code: 3, stdout: Buffer.alloc(0) });
  });

  test('that the service refuses end with 1 and its reason', async () => {
    await using service = await startService();
    const args = ['--url', `http://${service.data}`, await fileWith('refused')];
    const put = await run(['put', '--namespace', '../../x', ...args]);
    expect(put).toMatchObject({ code: 1, stderr: expect.stringContaining('invalid_namespace') });
    await eventually('nothing is left', async () => (await filesIn(service.folder)).length === 0);
  });

  test('to a folder, or below one that is missing, end with 1, name that folder, and leave nothing', async () => {
    await using service = await startService();
    const url = ['--url', `http://${service.data}`];
    const put = await run(['put', '--namespace', 'orders', ...url, await fileWith('content')]);
    const folder = await newFolder(crypto.randomUUID());
    await mkdir(join(folder, 'taken'));
    await writeFile(join(folder, 'no-folder'), '');
    const get = (output: string) => run(['get', ...url, '--output', join(folder, output), '-'], put.stdout);
    expect((await get('taken')).code).toBe(1);
    for (const parent of ['missing', 'no-folder']) {
      const output = join(folder, parent, 'file');
      const message = `cannot write ${output}: there is no folder ${join(folder, parent)}`;
      const refused = await get(join(parent, 'file'));
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
      expect(refused.stderr).not.toContain('ENO');
    }
    expect((await readdir(folder)).sort()).toEqual(['no-folder', 'taken']);
  });
});

describe.concurrent('check', () => {
  test('stores and fetches as many random bytes as asked for', async () => {
    await using service = await startService();
    const url = ['--url', `http://${service.data}`];
    const outcome = await run(['check', '--size', '300k', '--namespace', 'orders', ...url]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const [line, key] = outcome.stdout.toString().split('\n');
    expect(line).toMatch(/^293\.0 KiB stored in [0-9.]+ s, fetched in [0-9.]+ s, digest verified$/);
    const stored = await readFile(objectPath(service.folder, key ?? ''));
    expect(stored.length).toBe(300_000);
    expect((await run(['check', '--size', '300k', ...url])).stdout.toString()).not.toContain(key);
  });

  test('tells what is wrong with a size, and that there is no service', async () => {
    expect(await run(['check', '--size', '5MB'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--size: "5MB": expected a size'),
    });
    expect(await run(['check', '--url', 'http://127.0.0.1:1'])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('127.0.0.1:1'),
    });
  });
});

describe.concurrent('a proxy that has no route to the service', () => {
  test.each([
    ['put', ['put', '--namespace', 'orders']],
    ['get', ['get']],
    ['check', ['check', '--size', '1k']],
  ])('is told by %s, which may be tried again', async (_name, [command = '', ...args]) => {
    const proxy = createServer((request, response) => {
      request.resume();
      response.writeHead(404, { Server: 'envoy', 'Content-Length': '0' }).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => proxy.once('listening', resolve));
    const url = ['--url', `http://127.0.0.1:${(proxy.address() as { port: number }).port}`];
    const digest = `sha256:${'0'.repeat(64)}`;
    const reference = JSON.stringify({ size: 1, digest, key: '/blobs/orders/common/x/y' });
    const file = command === 'check' ? [] : [await fileWith(reference)];
    const outcome = await run([command, ...args, ...url, ...file]);
    proxy.closeAllConnections();
    proxy.close();
    expect(outcome).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('(status 404, server: envoy): it seems to come from a proxy'),
    });
  });
});

describe.concurrent('du and cleanup', () => {
  test('print JSON where there is no terminal', async () => {
    await using service = await startService({ ttl: '30d', reaperInterval: '1h' });
    const admin = ['--admin-url', `http://${service.admin}`];
    await run(['put', '--namespace', 'orders', '--url', `http://${service.data}`, await fileWith('12345')]);
    const du = await run(['du', ...admin]);
    expect(du).toMatchObject({ code: 0, stderr: '' });
    expect(
      du.stdout
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { window: expect.stringMatching(/^expires-.*-30d$/), namespace: 'orders', objects: 1, bytes: 5 },
      { total: { objects: 1, bytes: 5 } },
    ]);
    expect((await run(['du', '--json', ...admin])).stdout).toEqual(du.stdout);
    for (const dryRun of [true, false]) {
      const args = ['cleanup', '--older-than', '7d', ...admin, ...(dryRun ? ['--dry-run'] : [])];
      const { code, stdout, stderr } = await run(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout.toString())).toEqual({ objects: 0, bytes: 0, dryRun, windows: [] });
    }
    expect(await payloadsIn(service.folder)).toHaveLength(1);
  });

  test('count by a dry run exactly what the cleanup after it deletes', async () => {
    await using service = await startService({ ttl: '30d', reaperInterval: '1h' });
    const admin = ['--admin-url', `http://${service.admin}`];
    for (const content of ['one', 'three']) {
      await run(['put', '--namespace', 'orders', '--url', `http://${service.data}`, await fileWith(content)]);
    }
    await ageBy(3 * DAY_MS, service.folder);
    const clean = (...more: string[]) => run(['cleanup', '--older-than', '1s', ...admin, ...more]);
    const dry = JSON.parse((await clean('--dry-run')).stdout.toString());
    expect(dry).toMatchObject({ objects: 2, bytes: 8, dryRun: true });
    expect(await payloadsIn(service.folder)).toHaveLength(2);
    const real = JSON.parse((await clean()).stdout.toString());
    expect(real).toEqual({ ...dry, dryRun: false });
    await eventually('nothing is left', async () => (await filesIn(service.folder)).length === 0);
    expect(JSON.parse((await clean()).stdout.toString())).toMatchObject({ objects: 0 });
  });

  const answering = async (listener: RequestListener) => {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const outcome = await run(['du', '--admin-url', `http://127.0.0.1:${port}`]);
    server.closeAllConnections();
    server.close();
    return { ...outcome, stdout: outcome.stdout.toString() };
  };

  test.each<[string, RequestListener, number, string]>([
    [
      'whose answer breaks off',
      (_request, response) => {
        response.writeHead(200, { 'Content-Length': 1_000 });
        response.write('{"window":"a","namespace":"b","objects":1,"bytes":1}\n', () => response.destroy());
      },
      5,
      'broke off',
    ],
    [
      'whose answer ends too early',
      (_request, response) => response.end('{"window":"a","namespace":"b"}\n'),
      5,
      'broke off',
    ],
    [
      'that fails half-way for a while',
      (_request, response) => response.end('{"error":{"code":"clock_difference","message":"clock"}}\n'),
      5,
      'clock',
    ],
    [
      'that fails half-way for good',
      (_request, response) => response.end('{"error":{"code":"integrity","message":"damaged"}}\n'),
      1,
      'damaged',
    ],
    [
      'that is busy',
      (_request, response) => response.writeHead(503).end('{"error":{"code":"busy","message":"later"}}'),
      5,
      'later',
    ],
    [
      'that is something else',
      (_request, response) => response.writeHead(404).end('<html>'),
      1,
      'answered 404',
    ],
  ])('tell an admin port %s', async (_name, listener, code, message) => {
    const outcome = await answering(listener);
    expect(outcome).toMatchObject({ code, stderr: expect.stringContaining(message) });
    expect(outcome.stdout).not.toContain('total');
  });
});
