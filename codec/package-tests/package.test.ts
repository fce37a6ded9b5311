import { execFile } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { memoryService } from '@largepayload/testing/service/memory-service';
import { startService, type TestService } from '@largepayload/testing/service/running-service';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { findNode20 } from '@largepayload/tools/node-20';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as source from '../src/index.ts';
import { type CompilerOptions, compile, type PackedPackage, packedPackage } from './packed-package.ts';

const nodeNext: CompilerOptions = { module: 'nodenext', moduleResolution: 'nodenext', skipLibCheck: true };
const node16: CompilerOptions = { module: 'node16', moduleResolution: 'node16', skipLibCheck: true };
const bundler: CompilerOptions = { module: 'esnext', moduleResolution: 'bundler', skipLibCheck: true };

const worked = { isReference: [true], isEqual: [true], errorName: 'PayloadNotFoundError', isInstance: true };

const resources = new AsyncDisposableStack();
let service: TestService;
let packed: PackedPackage;
beforeAll(async () => {
  service = resources.use(await startService());
  packed = resources.use(await packedPackage());
});
afterAll(() => resources.disposeAsync());

/** What a program prints, run by Node 20. */
async function factsOf(
  file: string,
  variables: NodeJS.ProcessEnv = { LARGE_PAYLOAD_SERVICE_URL: `http://${service.data}` },
): Promise<Record<string, unknown>> {
  const env = { ...variables, TEMPORAL_NAMESPACE: 'package-tests' };
  const { stdout } = await promisify(execFile)(findNode20(), [file], { env });
  return JSON.parse(stdout);
}

describe('what is packed', () => {
  test('nothing but the built files, the manifest, the licence and the page', async () => {
    const others = packed.files.filter((file) => !/^dist\/.*\.(js|d\.ts)$/.test(file)).sort();
    expect(others).toEqual(['LICENSE', 'README.md', 'dist/cjs/package.json', 'package.json']);
    expect(packed.files.filter((file) => /test|build/.test(file))).toEqual([]);
  });

  test('the licence is that of the project', async () => {
    const [ours, projects] = [join(packed.folder, 'LICENSE'), join(import.meta.dirname, '../../LICENSE')];
    expect(await readFile(ours, 'utf8')).toBe(await readFile(projects, 'utf8'));
  });

  test('nothing has to be installed or run beside it', async () => {
    const manifest = JSON.parse(await readFile(join(packed.folder, 'package.json'), 'utf8'));
    expect(manifest).not.toHaveProperty('dependencies');
    expect(Object.keys(manifest.scripts)).toEqual(['build']);
  });

  test('files of Node 10 resolution, for tools that read no exports', async () => {
    const manifest = JSON.parse(await readFile(join(packed.folder, 'package.json'), 'utf8'));
    expect(packed.files).toEqual(
      expect.arrayContaining([manifest.main.slice('./'.length), manifest.types.slice('./'.length)]),
    );
  });
});

describe('the page lists', () => {
  const page = () => readFile(join(packed.folder, 'README.md'), 'utf8');
  const firstCells = (text: string) => [...text.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);

  test('every option and every error, and no other', async () => {
    const settings = await readFile(join(import.meta.dirname, '../src/temporal/settings.ts'), 'utf8');
    const [, fields = ''] = /interface LargePayloadCodecOptions \{(.*?)^\}/ms.exec(settings) ?? [];
    const options = [...fields.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name);
    const errors = Object.keys(source).filter((name) => /Error$/.test(name) && name !== 'PayloadStoreError');
    expect(firstCells(await page()).sort()).toEqual([...options, ...errors].sort());
  });
});

describe('types', () => {
  test.each<['module' | 'commonjs', CompilerOptions]>([
    ['module', { ...nodeNext, skipLibCheck: false }],
    ['module', node16],
    ['commonjs', nodeNext],
    ['commonjs', node16],
    ['module', bundler],
    ['commonjs', { ...bundler, module: 'commonjs' }],
  ])('for %s, %j', async (type, options) => {
    const compiled = compile(packed, ['types.ts'], type, options);
    expect(await compiled.catch(({ stdout }) => stdout)).toContain(packed.application);
  });
});

describe('on Node 20, against a running service', () => {
  test('the package works when an ES module imports it', async () => {
    const program = join(await compile(packed, ['round-trip.ts'], 'module', nodeNext), 'round-trip.js');
    expect(await readFile(program, 'utf8')).toContain("from '@largepayload/codec'");
    expect(await factsOf(program)).toEqual(worked);
  });

  test('the package works when CommonJS requires it', async () => {
    const program = join(await compile(packed, ['round-trip.ts'], 'commonjs', node16), 'round-trip.js');
    expect(await readFile(program, 'utf8')).toContain('require("@largepayload/codec")');
    expect(await factsOf(program)).toEqual(worked);
  });

  test('both ways in one process: the names of the source, and one class of each', async () => {
    const program = join(await compile(packed, ['both-ways.ts'], 'module', nodeNext), 'both-ways.js');
    const names = Object.keys(source).sort();
    expect(await factsOf(program)).toEqual({
      importedNames: names,
      requiredNames: names,
      isInstance: true,
      othersLoaded: [],
    });
  });
});

describe.each(['esm', 'cjs'] as const)('bundled and minified as %s', (format) => {
  test('works without node_modules', async () => {
    const program = await readFile(join(import.meta.dirname, 'programs/round-trip.ts'), 'utf8');
    expect(await factsOf(await bundleFile(program, format))).toEqual(worked);
  });

  test('works over TLS with a token, by variables of the environment', async () => {
    const { certificate, issue } = testAuthority();
    const pair = issue();
    const shown = new Set<string | undefined>();
    await using gateway = await memoryService(({ headers }) => shown.add(headers.authorization), {
      cert: pair.certificate,
      key: pair.key,
    });
    const source = await readFile(join(import.meta.dirname, 'programs/round-trip.ts'), 'utf8');
    const program = await bundleFile(source, format);
    const [tokenFile, caFile] = [join(dirname(program), 'token'), join(dirname(program), 'ca.crt')];
    await writeFile(tokenFile, 'one.two.three');
    await writeFile(caFile, certificate);
    const facts = await factsOf(program, {
      LARGE_PAYLOAD_SERVICE_URL: gateway.url,
      LARGE_PAYLOAD_SERVICE_TOKEN_FILE: tokenFile,
      LARGE_PAYLOAD_SERVICE_CA_FILE: caFile,
    });
    expect(facts).toEqual(worked);
    expect([...shown]).toEqual(['Bearer one.two.three']);
  });

  test('imported and required are one', async () => {
    const program = `import * as imported from '@largepayload/codec';
      const required = require('@largepayload/codec');
      console.log(JSON.stringify({ isOne: imported.PayloadStoreError === required.PayloadStoreError }))`;
    expect(await factsOf(await bundleFile(program, format))).toEqual({ isOne: true });
  });

  test('what is not used is left out', async () => {
    const used = await bundle("export { isDigest } from '@largepayload/codec'", format);
    expect(used).toContain('sha256:');
    expect(used).not.toMatch(/PayloadStoreError|node:http/);
  });
});

async function bundle(program: string, format: 'esm' | 'cjs'): Promise<string> {
  const stdin = { contents: program, loader: 'ts', resolveDir: packed.application } as const;
  const options = {
    bundle: true,
    write: false,
    minify: true,
    lineLimit: 200,
    platform: 'node',
    target: 'node20',
  } as const;
  const { outputFiles } = await build({ stdin, format, ...options });
  return outputFiles[0]?.text ?? '';
}

/** A file with the bundle, in a folder that has no node_modules above it. */
async function bundleFile(program: string, format: 'esm' | 'cjs'): Promise<string> {
  const folder = await mkdtemp(join(dirname(packed.application), 'bundle-'));
  const file = join(folder, format === 'esm' ? 'program.mjs' : 'program.cjs');
  await writeFile(file, await bundle(program, format));
  return file;
}
