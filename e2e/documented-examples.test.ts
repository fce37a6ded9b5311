import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseLargePayloadStore } from '@largepayload/crds';
import { parseArguments } from '@largepayload/sidecar/cli/parse-arguments';
import {
  type Example,
  examplesOf,
  pages,
  REPOSITORY,
  textOf,
} from '@largepayload/testing/documents/markdown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const examples = pages().flatMap(examplesOf);
const inLanguage = (language: string) =>
  examples.filter((example) => example.language === language && example.mark === undefined);

/** Languages whose blocks no reader runs. */
const NOT_RUN = ['abnf', 'text'];
const CHECKED = ['sh', 'yaml', 'json', 'ts'];

test('each example is checked here, or marked with the test that runs it or the reason why none does', () => {
  const unchecked = examples.filter(
    ({ language, mark }) => ![...CHECKED, ...NOT_RUN].includes(language) && !mark,
  );
  expect(unchecked.map(({ place }) => place)).toEqual([]);
  for (const { place, mark } of examples) {
    if (mark === undefined) continue;
    const [, file] = /^run by (\S+)$/.exec(mark) ?? [];
    expect(file === undefined ? /^not run: ./.test(mark) : existsSync(join(REPOSITORY, file)), place).toBe(
      true,
    );
  }
});

describe('YAML and JSON', () => {
  test.each(inLanguage('yaml'))('$place is a valid resource', ({ code, place }) => {
    assertResources(code, place);
  });

  test.each(globSync('examples/**/*.yaml', { cwd: REPOSITORY }))('%s has valid resources', (file) => {
    assertResources(textOf(file), file);
  });

  test.each(inLanguage('json'))('$place is JSON', ({ code }) => {
    expect(JSON.parse(code)).toBeTypeOf('object');
  });
});

describe('commands', () => {
  test.each(inLanguage('sh'))(
    '$place: the shell, the programs and their options are there',
    async (example) => {
      execFileSync('bash', ['-n'], { input: example.code });
      for (const [, resource = ''] of example.code.matchAll(/<<END\n(.*?)^END$/gms))
        assertResources(resource.replaceAll(/\$\w+/g, 'https://example.com'), example.place);
      for (const line of commandsOf(example)) await assertCommand(line);
    },
  );
});

describe('TypeScript', () => {
  const folder = mkdtempFolder();
  beforeAll(() => {
    const application = join(REPOSITORY, 'examples/typescript-worker');
    for (const file of ['activities.ts', 'workflows.ts', 'workflow-code.ts'])
      copyFileSync(join(application, file), join(folder, file));
    writeFileSync(join(folder, 'your-codecs.ts'), OTHER_CODECS);
    for (const [index, { code }] of inLanguage('ts').entries())
      writeFileSync(join(folder, `example-${index}.ts`), code);
    writeFileSync(
      join(folder, 'tsconfig.json'),
      '{"extends": "../../../tsconfig.json", "include": ["*.ts"], "exclude": []}',
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('all examples compile', () => {
    expect(inLanguage('ts').length).toBeGreaterThan(3);
    const tsc = join(REPOSITORY, 'node_modules/.bin/tsc');
    try {
      execFileSync(tsc, ['-p', folder]);
    } catch (error) {
      const places = inLanguage('ts').map(({ place }, index) => `example-${index}.ts is ${place}`);
      throw new Error([...places, String((error as { stdout: Buffer }).stdout)].join('\n'));
    }
  });
});

/** What an application with other codecs would have. */
const OTHER_CODECS = `import type { Payload, PayloadCodec } from '@temporalio/common';
export class CompressionCodec implements PayloadCodec {
  async encode(payloads: Payload[]) { return payloads; }
  async decode(payloads: Payload[]) { return payloads; }
}
export class EncryptionCodec extends CompressionCodec {}
`;

/** Within the repository, so that its packages are found. */
function mkdtempFolder(): string {
  const output = join(REPOSITORY, 'e2e/.output');
  mkdirSync(output, { recursive: true });
  return mkdtempSync(join(output, 'examples-'));
}

function assertResources(text: string, place: string): void {
  for (const document of parseAllDocuments(text)) assertResource(document.toString(), place);
}

function assertResource(text: string, place: string): void {
  const resource = parse(text);
  if (resource.kind === 'LargePayloadStore') parseLargePayloadStore(text, place);
  else
    expect(resource).toMatchObject({
      apiVersion: expect.any(String),
      metadata: { name: expect.any(String) },
    });
}

/** The commands of an example, each on one line, without comments and texts that are handed to a command. */
function commandsOf({ code }: Example): readonly string[] {
  return code
    .replaceAll(/^.*<<END\n.*?^END$/gms, '')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*/, '').trim())
    .filter((line) => line !== '');
}

async function assertCommand(line: string): Promise<void> {
  const [, , words] = /(^|-- |\/app\/|dist\/)payload-store(?:\.mjs)? (.*)/.exec(line) ?? [];
  if (words !== undefined) await assertPayloadStore(words.split(/ > | \| | &$/)[0] ?? '');
  for (const [, target] of line.matchAll(/\bmake ([\w-]+)/g))
    expect(textOf('Makefile')).toMatch(`\n${target}:`);
  for (const [, file = ''] of line.matchAll(/(?:--config|node(?: --\S+)*) ([\w./-]+\.ts)\b/g))
    expect(existsSync(join(REPOSITORY, file)), file).toBe(true);
  const values = parse(textOf('charts/large-payload-operator/values.yaml'));
  if (!line.startsWith('helm install')) return;
  for (const [, path = ''] of line.matchAll(/--set(?:-string)? ([\w.]+)=/g))
    expect(
      path.split('.').reduce((node, key) => node?.[key], values),
      path,
    ).toBeDefined();
}

/** @throws UsageError, and an Error when the command does not exist */
async function assertPayloadStore(words: string): Promise<void> {
  const [name = '', ...args] = words.trim().split(/\s+/);
  if (name.startsWith('-')) return;
  const { command } = await import(`../sidecar/src/commands/${name}.ts`);
  if (!args.includes('--help')) parseArguments(command, args);
}
