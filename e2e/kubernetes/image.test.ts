import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImageArchive, unpackArchive } from '@largepayload/operator/image/archive';
import type { BuiltImage } from '@largepayload/operator/image/image';
import { Container } from '@largepayload/testing/containers/container';
import { buildServiceImage, SERVICE_IMAGE } from '@largepayload/testing/containers/service-image';
import { parseJsonLine } from '@largepayload/testing/processes/json-line';
import { unlessMissing } from '@largepayload/testing/programs/unless-missing';
import { inPath } from '@largepayload/tools/debian-packages';
import { MissingProgramError } from '@largepayload/tools/missing-program';
import { runCommand } from '@largepayload/tools/run-command';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import rootPackage from '../../package.json' with { type: 'json' };

const GOAL_BYTES = 30e6;
const REPOSITORY = join(import.meta.dirname, '../..');
const PROGRAMS = ['operator.mjs', 'payload-store.mjs', ...partsOfTheService()];
const MANIFEST = `apiVersion: largepayload.dev/v1alpha1
kind: LargePayloadStore
metadata: { name: in-an-image }
spec:
  storage: { filesystem: { claimName: large-payloads } }
  retention: { ttl: 30d }
`;

const work = mkdtempSync(join(tmpdir(), 'image-test-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

async function build(): Promise<BuiltImage> {
  if (process.getuid?.() !== 0 || inPath('unshare') === undefined) {
    throw new MissingProgramError(
      'Only root can run what is in the image as another user: run this as root, with `unshare` of util-linux.',
    );
  }
  return await buildServiceImage(join(work, 'image.tar'), (line) => console.info(line));
}

/** The files that `payload-store.mjs` loads. */
function partsOfTheService(): string[] {
  const parts = readdirSync(join(REPOSITORY, 'sidecar/dist/payload-store'));
  return parts.map((name) => `payload-store/${name}`);
}

let built: BuiltImage | undefined;
try {
  built = await unlessMissing(build);
} finally {
  // When all tests are skipped, no hook runs either, so the archive is removed here.
  if (built === undefined) rmSync(work, { recursive: true });
}

describe.skipIf(built === undefined)('the image of service and operator', () => {
  const folders = { archive: join(work, 'archive'), root: join(work, 'root'), data: join(work, 'data') };
  let image: ImageArchive;
  let container: Container;

  beforeAll(async () => {
    for (const folder of Object.values(folders)) mkdirSync(folder);
    chownSync(folders.data, 65_532, 65_532);
    image = await unpackArchive(join(work, 'image.tar'), folders.archive);
    container = await Container.create(image, folders.root, folders.data);
  });

  test(`adds ${GOAL_BYTES / 1e6} MB to its base at most`, () => {
    expect(built?.ownBytes).toBeGreaterThan(1e6);
    expect(built?.ownBytes).toBeLessThanOrEqual(GOAL_BYTES);
  });

  test('runs as a user without rights, and has labels that describe it', () => {
    expect(image.names.map((name) => name.replace(/^docker\.io\//, ''))).toEqual([SERVICE_IMAGE]);
    expect(image.config).toMatchObject({
      User: '65532:65532',
      WorkingDir: '/app',
      Entrypoint: ['/nodejs/bin/node'],
      Cmd: ['/app/payload-store.mjs', '--help'],
      Labels: {
        'org.opencontainers.image.version': rootPackage.version,
        'org.opencontainers.image.licenses': 'Apache-2.0',
        'org.opencontainers.image.base.name': built?.base,
      },
    });
  });

  test('holds the programs and nothing else: no sources, tests, caches or secrets', async () => {
    const own = image.layers.filter(({ diffId }) => built?.ownLayers.includes(diffId));
    const lists = await Promise.all(own.map(({ file }) => runCommand('tar', ['-tf', file])));
    const names = lists.flatMap((list) => list.split('\n')).filter((name) => /[^/]$/.test(name));
    const expected = [
      ...['LICENSE', ...PROGRAMS].map((name) => `app/${name}`),
      'usr/local/bin/payload-store',
    ].sort();
    expect(names.map((name) => name.replace(/^\.?\//, '')).sort()).toEqual(expected);
    for (const name of PROGRAMS) {
      const text = readFileSync(join(folders.root, 'app', name), 'utf8');
      expect(text.includes(REPOSITORY), `${name} names the folder it was built in`).toBe(false);
    }
  });

  test('starts as that user, who can write nothing but what is mounted', async () => {
    const inspect = `const fs = require('node:fs');
      const may = (path) => { try { fs.writeFileSync(path, ''); return true; } catch (error) { return error.code; } };
      const status = fs.readFileSync('/proc/self/status', 'utf8');
      console.log(JSON.stringify({
        uid: process.getuid(), gid: process.getgid(), groups: process.getgroups(),
        capabilities: /CapEff:\\s*0+$/m.test(status) ? 'none' : 'some',
        app: may('/app/x'), tmp: may('/tmp/x'), data: may('/data/x'),
      }))`;
    const answer = JSON.parse(await container.run(['/nodejs/bin/node', '-e', inspect]));
    expect(answer).toMatchObject({
      uid: 65_532,
      gid: 65_532,
      capabilities: 'none',
      app: 'EROFS',
      data: true,
    });
    expect(answer.tmp).not.toBe(true);
  });

  test('has both programs, and every file that they load', async () => {
    const version = `${rootPackage.version}\n`;
    expect(await container.run(['payload-store', '--version'])).toBe(version);
    expect(await container.run(['/nodejs/bin/node', '/app/operator.mjs', '--version'])).toBe(version);
    const parts = partsOfTheService().filter((name) => !name.endsWith('/main.cjs'));
    expect(parts.some((name) => name.includes('/aws-sdk-client-'))).toBe(true);
    // A chunk that several files share may have side effects only, and no exports; a missing file makes require throw.
    const load = `console.log(${JSON.stringify(parts)}.every((name) => Object.keys(require('/app/' + name)).length > 0 || name.includes('/chunk-')))`;
    expect(await container.run(['/nodejs/bin/node', '-e', load])).toBe('true\n');
    await expect(container.run(['payload-store', 'serv'])).rejects.toThrow('there is no command "serv"');
  });

  test('serves a store in a folder that is mounted', async () => {
    writeFileSync(join(folders.data, 'store.yaml'), MANIFEST);
    writeFileSync(join(folders.data, 'report.txt'), 'a report\n'.repeat(200_000));
    const ports = ['--listen', '--metrics-listen', '--admin-listen'].flatMap((option) => [
      option,
      '127.0.0.1:0',
    ]);
    const { program, greeting } = await container.start(
      [
        '/app/payload-store.mjs',
        'serve',
        '--config',
        '/data/store.yaml',
        '--data-dir',
        '/data/payloads',
        ...ports,
      ],
      (line) => parseJsonLine<{ msg: 'listening'; data: string }>(line, 'listening'),
    );
    try {
      const url = ['--url', `http://${greeting.data}`];
      const put = ['payload-store', 'put', '/data/report.txt', '--namespace', 'orders', '--json', ...url];
      writeFileSync(join(folders.data, 'reference.json'), await container.run(put));
      await container.run([
        'payload-store',
        'get',
        '/data/reference.json',
        '--output',
        '/data/copy.txt',
        ...url,
      ]);
    } finally {
      expect(await program.stop()).toBe(0);
    }
    const [original, copy] = ['report.txt', 'copy.txt'].map((name) => readFileSync(join(folders.data, name)));
    expect(copy?.equals(original as Buffer)).toBe(true);
  });
});
