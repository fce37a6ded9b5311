import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { realProgram } from '@largepayload/testing/service/real-program';
import { describe, expect, test } from 'vitest';

const { run, configFile, newFolder } = realProgram();

const POD = `# the worker
kind: Pod
metadata:
  name: worker
  namespace: billing
spec:
  containers:
    - name: worker
      image: worker:1
`;

async function inject(args: readonly string[], input = '') {
  const { code, stdout, stderr } = await run(['inject', ...args], input);
  return { code, stdout: stdout.toString(), stderr };
}

describe.concurrent('payload-store inject', () => {
  test('takes a file or standard input, and a second time changes nothing', async () => {
    const file = await configFile(`kind: Service\n---\n${POD}`);
    const first = await inject(['-f', file, '--store', 'documents.orders']);
    expect(first).toMatchObject({ code: 0, stderr: 'Pod billing/worker: sidecar of documents.orders\n' });
    expect(first.stdout.startsWith('kind: Service\n---\n# the worker\n')).toBe(true);
    const second = await inject(['--file', '-', '--store', 'documents.orders'], first.stdout);
    expect(second).toEqual({
      code: 0,
      stdout: first.stdout,
      stderr: 'Pod billing/worker: it has a sidecar already\n',
    });
  });

  test('the image is that of this version, or the given one; no pull secret is added', async () => {
    const imageOf = async (...args: string[]) => {
      const { stdout } = await inject(['-f', '-', '--store', 'documents', ...args], POD);
      expect(stdout).not.toContain('imagePullSecrets');
      return /name: large-payload-sidecar\n +image: (.*)\n/.exec(stdout)?.[1];
    };
    const version = (await run(['--version'])).stdout.toString().trim();
    expect(await imageOf()).toBe(`largepayload/payload-store:${version}`);
    expect(await imageOf('--image', 'mine@sha256:abc')).toBe('mine@sha256:abc');
  });

  test('the reason of a pod without a sidecar, and warnings, are in one line each', async () => {
    const ports = `${POD}      ports: [{containerPort: 8577}]\n`;
    const hostNetwork = POD.replace('spec:', 'spec:\n  hostNetwork: true').replace(
      'name: worker\n',
      'name: "evil\\e[2J\\nname"\n',
    );
    const { code, stdout, stderr } = await inject(
      ['-f', '-', '--store', 'a.b'],
      `${hostNetwork}---\n${ports}`,
    );
    expect(code).toBe(0);
    expect(stdout.startsWith(hostNetwork)).toBe(true);
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^Pod billing\/evil \[2J name: no sidecar: the pod has hostNetwork: true/),
      'Pod billing/worker: sidecar of a.b',
      expect.stringMatching(/^Pod billing\/worker: warning: container worker has port 8577/),
    ]);
  });

  test('a text without pods comes out as it is', async () => {
    const outcome = await inject(['-f', '-', '--store', 'a.b'], '\uFEFFkind:   Role');
    expect(outcome).toEqual({
      code: 0,
      stdout: '\uFEFFkind:   Role',
      stderr: 'no pods and no pod templates found\n',
    });
  });

  test.each<[string, string[], string, string]>([
    [
      'a store that is none',
      ['-f', '-', '--store', 'A'],
      '',
      '--store A names no store: write NAME or NAME.NAMESPACE',
    ],
    ['no such file', ['-f', '/nonexistent', '--store', 'a'], '', 'cannot read /nonexistent: ENOENT'],
    [
      'no namespace',
      ['-f', '-', '--store', 'a'],
      POD.replace('  namespace: billing\n', ''),
      'standard input: document 1: Pod worker has no namespace: give --namespace NAMESPACE',
    ],
    [
      'wrong YAML',
      ['-f', '-', '--store', 'a'],
      `${POD}\tx`,
      'standard input: document 1: line 10, column 1: ',
    ],
  ])('%s: it ends with 2, nothing on standard output and a hint', async (_what, args, input, message) => {
    const { code, stdout, stderr } = await inject(args, input);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`payload-store: ${message}`);
  });

  test('input that is too large, or no UTF-8, is refused', async () => {
    const folder = await newFolder('inputs');
    const large = join(folder, 'large');
    await writeFile(large, Buffer.alloc(16 * 2 ** 20 + 1, '#'));
    expect(await inject(['-f', large, '--store', 'a'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: `payload-store: ${large} is larger than 16 MiB\n`,
    });
    const binary = join(folder, 'binary');
    await writeFile(binary, Buffer.from([0x61, 0xff]));
    expect(await inject(['-f', binary, '--store', 'a'])).toMatchObject({
      code: 2,
      stderr: `payload-store: ${binary} is not text in UTF-8\n`,
    });
  });
});
