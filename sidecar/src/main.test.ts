import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { realProgram } from '@largepayload/testing/service/real-program';
import { manifestText } from '@largepayload/testing/service/running-service';
import { describe, expect, test } from 'vitest';

const COMMANDS =
  'serve sidecar codec-server put get check cleanup du lifecycle-rule accept-clock inject doctor'.split(' ');

const { run, configFile, newFolder } = realProgram();

const text = (bytes: Buffer) => bytes.toString();

describe.concurrent('help and version', () => {
  test('go to standard output, and name every command and exit code', async () => {
    for (const args of [['--help'], ['-h'], ['help']]) {
      const { code, stdout, stderr } = await run(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      for (const command of COMMANDS) expect(text(stdout)).toMatch(new RegExp(`^  ${command} `, 'm'));
      expect(text(stdout)).toMatch(/^Exit codes:/m);
    }
    expect(await run(['--version'])).toMatchObject({ code: 0, stderr: '' });
    expect(text((await run(['--version'])).stdout)).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each(COMMANDS)('of %s', async (command) => {
    const { code, stdout, stderr } = await run([command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(text(stdout)).toMatch(`Usage: payload-store ${command} `);
    expect(text(stdout)).not.toMatch(/undefined|\[object/);
  });
});

describe.concurrent('arguments that make no sense end with 2 and a hint', () => {
  test.each([
    [[], 'no command was given'],
    [['sevre'], 'there is no command "sevre"'],
    [['toString'], 'there is no command "toString"'],
    [['__proto__'], 'there is no command "__proto__"'],
    [['serve', '--conf', 'x'], "Unknown option '--conf'"],
    [['serve'], '--config FILE is required'],
    [['sidecar'], '--gateway-url URL is required, or LARGE_PAYLOAD_GATEWAY_URL'],
    [['sidecar', '--gateway-url', 'https://gateway'], 'give --token-file and --ca-file'],
    [['serve', '--config', 'x', '--data-dir', ''], '--data-dir'],
    [['serve', '--config', 'x', '--data-dir', 'y', 'more'], 'no arguments besides options'],
    [['serve', '--config', '/nonexistent/store.yaml', '--data-dir', 'y'], 'cannot read the configuration'],
    [
      ['serve', '--config', 'x', '--role', 'sidecar'],
      'there is no role "sidecar"; there are standalone, gateway, reaper',
    ],
    [['serve', '--config', 'x', '--role', 'reaper', '--listen', ':0'], 'the role reaper has no data port'],
    [['serve', '--config', 'x', '--data-dir', 'y', '--listen', ':8577'], '--allow-remote'],
    [
      ['serve', '--config', 'x', '--admin-listen', ':0', '--allow-remote'],
      'whoever reaches it may delete payloads',
    ],
    [['serve', '--config', 'x', '--data-dir', 'y', '--listen', '8577'], 'is not HOST:PORT'],
    [['serve', '--config', 'x', '--data-dir', 'y', '--listen', '127.0.0.1:99999'], 'is not HOST:PORT'],
    [['serve', '--config', 'x', '--data-dir', 'y', '--listen', '0.0.0.0:0'], '--allow-remote'],
    [['serve', '--config', 'x', '--data-dir', 'y', '--listen', '[::]:0'], '--allow-remote'],
    [['serve', '--config', 'x', '--data-dir', 'y', '--listen', 'gateway.example:0'], '--allow-remote'],
    [['serve', '--config', 'x', '--data-dir', 'y', '--metrics-listen', '0.0.0.0:0'], '--allow-remote'],
    [
      ['serve', '--config', 'x', '--data-dir', 'y', '--admin-listen', '0.0.0.0:0', '--allow-remote'],
      'whoever reaches it may delete payloads',
    ],
    [
      [
        'serve',
        '--config',
        'x',
        '--data-dir',
        'y',
        '--admin-listen',
        '[::ffff:10.0.0.7]:0',
        '--allow-remote',
      ],
      'whoever reaches it may delete payloads',
    ],
    [
      ['codec-server', '--allow-origin', 'http://a', '--allow-origin', 'http://b'],
      '--allow-origin is given twice',
    ],
    [['put'], '--namespace NS is required'],
    [['put', '--namespace', 'orders'], 'expected FILE'],
    [['put', '--namespace', 'orders', 'a', 'b'], 'expected FILE'],
    [['put', '--namespace', 'orders', '/nonexistent'], 'cannot read /nonexistent'],
    [['put', '--namespace', 'orders', '/'], 'not a regular file'],
    [['put', '--namespace', '', '/etc/hostname'], '--namespace'],
    [['put', '--namespace', 'orders', '--url', 'nonsense', '/etc/hostname'], 'URL'],
    [['get'], 'expected REFERENCE'],
    [['get', '/nonexistent'], 'cannot read /nonexistent'],
    [['get', '-'], 'not JSON'],
    [['get', '--url', 'ftp://127.0.0.1', '-'], 'not JSON'],
    [['cleanup'], '--older-than AGE is required'],
    [['cleanup', '--older-than', '7'], 'not "7"'],
    [['cleanup', '--older-than', '-7d'], '--older-than'],
    [['cleanup', '--older-than', '99999999999999999999d'], '99999999999999999999d'],
    [['cleanup', '--older-than', '7d', '--admin-url', 'nonsense'], 'nonsense'],
    [['du', '--admin-url', 'nonsense'], 'nonsense'],
    [['du', '--admin-url', 'ftp://127.0.0.1'], 'ftp://127.0.0.1'],
    [['du', 'everything'], 'no arguments besides options'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stderr, stdout: text(stdout) }).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
    expect(stderr).toMatch(/^payload-store: [^\n]+\n$/);
  });
});

describe.concurrent('a configuration that is wrong ends serve with 2, path and suggestion', () => {
  const edited = (edit: (manifest: { spec: Record<string, never>; kind: string }) => void) => {
    const manifest = JSON.parse(manifestText());
    edit(manifest);
    return JSON.stringify(manifest);
  };
  const withSpec = (spec: Record<string, unknown>) =>
    edited((manifest) => Object.assign(manifest.spec, spec));

  test.each([
    ['no YAML', '{', ['']],
    ['an empty file', '', ['LargePayloadStore']],
    [
      'a resource of another kind',
      edited((m) => Object.assign(m, { kind: 'Deployment' })),
      ['LargePayloadStore'],
    ],
    ['a number for a TTL', withSpec({ retention: { ttl: 30 } }), ['spec.retention.ttl']],
    ['a TTL in other words', withSpec({ retention: { ttl: '1.5d' } }), ['spec.retention.ttl']],
    ['a TTL too short', withSpec({ retention: { ttl: '7s' } }), ['spec.retention.ttl']],
    ['no retention', edited((m) => delete (m.spec as { retention?: never }).retention), ['spec.retention']],
    ['a field misspelt', withSpec({ retentoin: { ttl: '30d' } }), ['spec.retentoin', 'retention']],
    ['a field misspelt, deep', withSpec({ retention: { tll: '30d' } }), ['spec.retention.tll', 'ttl']],
    ['storage not built', withSpec({ storage: { gcs: { bucket: 'payloads' } } }), ['spec.storage.gcs']],
    [
      'a folder for a bucket',
      withSpec({ storage: { s3: { bucket: 'payloads' } } }),
      ['--data-dir is for spec.storage.filesystem'],
    ],
    [
      'retention not built',
      withSpec({
        temporalNamespaces: ['orders'],
        retention: { ttl: '30d', temporal: { address: 'temporal:7233' } },
      }),
      ['spec.retention.temporal'],
    ],
  ])('%s', async (_name, content, messages) => {
    const config = await configFile(content);
    const { code, stdout, stderr } = await run(['serve', '--config', config, '--data-dir', '/nonexistent/x']);
    expect({ code, stdout: text(stdout) }).toEqual({ code: 2, stdout: '' });
    for (const message of messages) expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe.concurrent('serve that cannot begin says why', () => {
  test.each([
    [[], '--data-dir DIR'],
    [
      ['--data-dir', '/nonexistent', '--credentials-dir', '/nonexistent'],
      '--credentials-dir is for object stores',
    ],
    [
      ['--data-dir', '/nonexistent', '--cache-size', '64MB'],
      '--cache-size: "64MB": expected a size in bytes',
    ],
    [
      ['--data-dir', '/nonexistent', '--role', 'gateway', '--cache-size', '64Mi'],
      '--cache-size is for standalone; set spec.gateway.cacheSize',
    ],
  ])('a folder named by %j', async (args, message) => {
    const { code, stderr } = await run(['serve', '--config', await configFile(manifestText()), ...args]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
  });

  test('a port in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const folder = await newFolder('port-in-use');
    const config = await configFile(manifestText());
    const { code, stderr } = await run(
      [
        'serve',
        '--config',
        config,
        '--data-dir',
        folder,
        '--listen',
        '127.0.0.1:0',
        '--metrics-listen',
        '127.0.0.1:0',
      ].concat('--admin-listen', `127.0.0.1:${port}`),
    );
    server.close();
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(`127.0.0.1:${port}: the port is in use; .*--admin-listen`),
    });
  });

  test('a data folder that is a file', async () => {
    const file = join(await mkdtemp(join(await newFolder('files'), 'x')), 'file');
    await writeFile(file, 'not a folder');
    const config = await configFile(manifestText());
    for (const place of [file, join(file, 'below')]) {
      const { code, stderr } = await run(['serve', '--config', config, '--data-dir', place]);
      expect({ code, stderr }).toMatchObject({ code: 5, stderr: expect.stringContaining(place) });
      expect(stderr).not.toMatch(/^\s+at /m);
    }
  });
});

describe.concurrent('a service that is not there ends the others with 5', () => {
  test.each([
    ['put', '--namespace', 'orders', '--url', 'http://127.0.0.1:1', '/etc/hostname'],
    ['cleanup', '--older-than', '7d', '--admin-url', 'http://127.0.0.1:1'],
    ['du', '--admin-url', 'http://127.0.0.1:1'],
  ])('%s', async (...args) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout: text(stdout) }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(/^payload-store: [^\n]+\n$/);
  });
});

test('what the environment says and does not do is logged once, also when the storage cannot be used', async () => {
  const { metadata, spec, ...kind } = JSON.parse(manifestText());
  const s3 = { bucket: 'payloads', endpoint: 'https://s3.test', forcePathStyle: true };
  const config = await configFile(JSON.stringify({ ...kind, metadata, spec: { ...spec, storage: { s3 } } }));
  const ports = [
    '--listen',
    '127.0.0.1:0',
    '--metrics-listen',
    '127.0.0.1:0',
    '--admin-listen',
    '127.0.0.1:0',
  ];
  const { code, stdout, stderr } = await run(['serve', '--config', config, ...ports], '', {
    AWS_REGION: '',
    HTTPS_PROXY: 'http://user:a-secret@proxy:3128',
    NO_PROXY: '127.*',
    AWS_USE_FIPS_ENDPOINT: 'true',
  });
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/AWS_USE_FIPS_ENDPOINT asks for an endpoint of Amazon's/);
  const lines = text(stdout)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual([
    expect.stringContaining('warn NO_PROXY: "127.*" is not understood'),
    expect.stringContaining('warn AWS_REGION is empty'),
    'info s3.test is reached by the proxy http://proxy:3128',
  ]);
  expect(text(stdout) + stderr).not.toContain('a-secret');
});

test('a service that speaks http and is called by https:// is said to', async () => {
  const server = createHttpServer((_request, response) => response.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    for (const args of [
      ['put', import.meta.filename, '--namespace', 'orders', '--url', url],
      ['du', '--admin-url', url],
    ]) {
      const { code, stderr } = await run(args);
      expect(stderr).toMatch(
        /^payload-store: the service speaks http at this address, not https; use an http:/,
      );
      expect(stderr).not.toMatch(/SSL|wrong version/);
      expect(code).toBe(5);
    }
  } finally {
    server.close();
  }
});
