import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram } from './build.ts';

/** Writes the names of all files that the process has loaded when it ends, and ends it by a signal that nothing else sends. */
const HOOK = `process.on('SIGUSR2', () => process.exit());
process.on('exit', () => {
  const files = Object.keys(require('node:module')._cache);
  require('node:fs').writeFileSync(process.env.LOADED_FILES, JSON.stringify(files));
});`;
const FOLDER = '{ filesystem: { claimName: claim } }';
/** Nothing listens there: the driver is loaded all the same, and its first request fails. */
const BUCKET =
  '{ s3: { bucket: payloads, region: r, endpoint: "http://127.0.0.1:9", forcePathStyle: true } }';
const GATEWAY = ['--gateway-url', 'http://127.0.0.1:9'];
const ANY_PORTS = ['--listen', '127.0.0.1:0', '--metrics-listen', '127.0.0.1:0'];
const LISTENING = '"msg":"listening"';
const NO_STORAGE_YET = 'the storage cannot be used yet';

let folder = '';
let metafile: Metafile;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'largepayload-build-'));
  metafile = await buildProgram(join(folder, 'program'));
  await writeFile(join(folder, 'hook.cjs'), HOOK);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/**
 * The sources of the files that the program has loaded.
 * @param mark text on standard output after which the process is ended; without it, the process ends by itself
 */
async function sourcesLoadedBy(args: readonly string[], mark?: string): Promise<string> {
  const list = join(folder, `${crypto.randomUUID()}.json`);
  const program = join(folder, 'program/payload-store.mjs');
  const child = spawn(process.execPath, ['--require', join(folder, 'hook.cjs'), program, ...args], {
    env: { ...process.env, LOADED_FILES: list, AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
    if (mark !== undefined && output.includes(mark)) child.kill('SIGUSR2');
  });
  await once(child, 'close');
  const loaded = new Set(
    (JSON.parse(await readFile(list, 'utf8')) as string[]).map((file) => basename(file)),
  );
  const outputs = Object.entries(metafile.outputs).filter(([file]) => loaded.has(basename(file)));
  const sources = outputs.flatMap(([, { inputs }]) => Object.entries(inputs));
  return sources.flatMap(([source, { bytesInOutput }]) => (bytesInOutput > 0 ? [source] : [])).join('\n');
}

async function serve(role: string, storage: string): Promise<string> {
  const config = join(folder, `${crypto.randomUUID()}.yaml`);
  await writeFile(
    config,
    `apiVersion: largepayload.dev/v1alpha1
kind: LargePayloadStore
metadata: { name: build-test }
spec: { storage: ${storage}, retention: { ttl: 30d } }`,
  );
  const place = storage === FOLDER ? ['--data-dir', join(folder, role)] : [];
  const names = ['metrics-listen', 'admin-listen', ...(role === 'reaper' ? [] : ['listen'])];
  const ports = names.flatMap((name) => [`--${name}`, '127.0.0.1:0']);
  const mark = storage === FOLDER ? LISTENING : NO_STORAGE_YET;
  return await sourcesLoadedBy(['serve', '--role', role, '--config', config, ...place, ...ports], mark);
}

const SERVER = ['node_modules/fastify/', 'src/http/app.ts'];
const STORE = ['src/drivers/', 'src/storage-records/', 'src/retention/', 'node_modules/yaml/'];
const S3 = ['src/drivers/s3/', 'src/drivers/object-store/', 'node_modules/@aws-sdk/'];
const FILES = ['src/drivers/filesystem/'];
const DATA_PORT = ['src/data-api/put-blob.ts', 'src/payload-service/blob-store/blob-store.ts'];
const TOKENS = ['src/callers/tokens/token-verifier.ts', 'src/callers/keys/key-set.ts', 'node_modules/jose/'];
const CODEC_SERVER = ['src/codec-server/'];
const FORWARDING = ['src/payload-service/forwarding/', 'src/data-api/put-blob.ts'];
/** What only commands for Kubernetes need. */
const OPERATOR = ['operator/src/', 'node_modules/@kubernetes/'];
const CACHE = ['src/payload-service/cache/', 'node_modules/lru-cache/'];

describe.concurrent('a process loads the code that it runs and no other', () => {
  test.each<[string, () => Promise<string>, string[], string[]]>([
    [
      'a standalone service on a folder',
      () => serve('standalone', FOLDER),
      ['src/roles/standalone.ts', ...SERVER, ...STORE, ...FILES, ...DATA_PORT],
      ['src/roles/gateway.ts', 'src/roles/reaper.ts', ...S3, ...TOKENS, ...CODEC_SERVER, ...OPERATOR],
    ],
    [
      'a gateway on a bucket',
      () => serve('gateway', BUCKET),
      ['src/roles/gateway.ts', ...SERVER, ...STORE, ...S3, ...DATA_PORT, ...TOKENS],
      ['src/roles/standalone.ts', 'src/roles/reaper.ts', ...FILES, ...CODEC_SERVER, ...OPERATOR],
    ],
    [
      'a reaper on a bucket',
      () => serve('reaper', BUCKET),
      ['src/roles/reaper.ts', ...SERVER, ...STORE, ...S3],
      [
        ...['src/roles/standalone.ts', 'src/roles/gateway.ts', ...DATA_PORT, ...FILES, ...TOKENS],
        ...[...CODEC_SERVER, ...OPERATOR],
      ],
    ],
    [
      'a sidecar',
      () => sourcesLoadedBy(['sidecar', ...GATEWAY, ...ANY_PORTS], LISTENING),
      ['src/roles/sidecar.ts', ...SERVER, ...FORWARDING, ...CACHE],
      [
        ...[...STORE, ...CODEC_SERVER, 'src/payload-service/blob-store/', 'src/operations/admin-server.ts'],
        ...[
          ...[...OPERATOR, 'crds/src/schema/', ...S3],
          'src/callers/tokens/jose.ts',
          'src/callers/keys/',
          'node_modules/jose/',
        ],
        ...['src/roles/standalone.ts', 'src/roles/gateway.ts', 'src/roles/reaper.ts', 'codec/src/transport/'],
      ],
    ],
    [
      'a sidecar without a cache',
      () => sourcesLoadedBy(['sidecar', ...GATEWAY, ...ANY_PORTS, '--cache-size', '0'], LISTENING),
      FORWARDING,
      CACHE,
    ],
    [
      'a codec server',
      () => sourcesLoadedBy(['codec-server', '--listen', '127.0.0.1:0'], LISTENING),
      [...SERVER, ...CODEC_SERVER, 'codec/src/temporal/codec.ts'],
      [...STORE, ...DATA_PORT, ...OPERATOR, 'node_modules/prom-client/', 'src/roles/'],
    ],
    [
      'a command that calls the service',
      () => sourcesLoadedBy(['put', '--help']),
      ['src/commands/put.ts', 'codec/src/transport/blob-client.ts'],
      [...SERVER, ...STORE, ...CODEC_SERVER, 'src/commands/get.ts', 'src/commands/serve.ts'],
    ],
    [
      'the doctor',
      () => sourcesLoadedBy(['doctor', '--help']),
      ['operator/src/doctor/diagnose.ts', 'node_modules/@kubernetes/client-node/'],
      [...SERVER, ...DATA_PORT, ...S3, ...CODEC_SERVER, 'operator/src/reconcile/', 'src/roles/'],
    ],
    [
      'the command for manifests',
      () => sourcesLoadedBy(['inject', '--help']),
      ['src/commands/inject.ts', 'operator/src/injection/inject-sidecar.ts', 'node_modules/yaml/'],
      [...SERVER, ...DATA_PORT, ...S3, 'operator/src/kubernetes/', 'operator/src/reconcile/'],
    ],
    [
      'the page of help',
      () => sourcesLoadedBy(['--help']),
      ['src/main.ts', 'src/cli/command.ts'],
      [...SERVER, ...STORE, ...CODEC_SERVER, 'src/commands/serve.ts', 'codec/src/'],
    ],
  ])('%s', async (_who, load, needed, foreign) => {
    const sources = await load();
    for (const part of needed) expect(sources).toContain(part);
    for (const part of foreign) expect(sources).not.toContain(part);
  });
});

test('no process loads what fastify needs only for schemas of routes', () => {
  const sources = Object.keys(metafile.inputs);
  expect(sources.some((source) => source.includes('node_modules/fastify/'))).toBe(true);
  expect(sources.filter((source) => /node_modules\/(ajv|light-my-request)\//.test(source))).toEqual([]);
});

describe('names in logs and stack traces are those of the source', () => {
  const filesOf = async () => {
    const files = Object.keys(metafile.outputs).filter((file) => file.endsWith('.cjs'));
    return await Promise.all(
      files.map((file) => readFile(join(folder, 'program/payload-store', basename(file)), 'utf8')),
    );
  };

  test('classes that use themselves are called as they are, inside too', async () => {
    const require = createRequire(import.meta.url);
    const driver = Object.keys(metafile.outputs).find((file) => /filesystem-driver-\w+\.cjs$/.test(file));
    const { FilesystemDriver } = require(join(folder, 'program/payload-store', basename(driver ?? '')));
    expect(FilesystemDriver.name).toBe('FilesystemDriver');
    const renamed = (await filesOf()).flatMap((text) => [
      ...text.matchAll(/(\w+)=class _\1\b[^{]*\{(.{12})/g),
    ]);
    expect(renamed.length).toBeGreaterThan(20);
    for (const [, , begin] of renamed) expect(begin).toBe('static name=');
  });

  test('each of our errors and functions is found by its name, and none is named at run time', async () => {
    const text = (await filesOf()).join('\n');
    const errors = ['StorageError', 'ServiceError', 'ForeignStoreError', 'ManifestError', 'UsageError'];
    const functions = ['putBlob', 'beginStore', 'processLimits'];
    const unnamed = [
      ...errors.filter((name) => !text.includes(`${name}=class extends Error`)),
      ...functions.filter((name) => !text.includes(`function ${name}(`)),
    ];
    expect(unnamed).toEqual([]);
    expect(text.includes('__name(')).toBe(false);
  });
});
