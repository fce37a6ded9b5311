import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blocksOf } from '@largepayload/testing/documents/markdown';
import { realProgram } from '@largepayload/testing/service/real-program';
import { expect, test } from 'vitest';

const { run, serve, newFolder } = realProgram();

test('the commands of docs/command-line.md store, fetch and count a payload of a running service', async () => {
  await using service = await serve({ dataFolder: await newFolder('data') });
  const folder = await newFolder('working-directory');
  const report = randomBytes(200_000);
  await writeFile(join(folder, 'report.pdf'), report);
  const script =
    blocksOf('docs/command-line.md', 'sh').find((block) => block.includes('put report.pdf')) ?? '';
  const outputs = new Map<string, string>();
  for (const line of script.trim().split('\n')) {
    const [words = '', output] = line.split(' > ');
    const [, name = '', ...rest] = words
      .split(' ')
      .map((word) => (/\.\w+$/.test(word) ? join(folder, word) : word));
    const admin = ['du', 'cleanup', 'accept-clock'].includes(name)
      ? ['--admin-url', `http://${service.admin}`]
      : [];
    const env = { LARGE_PAYLOAD_SERVICE_URL: `http://${service.data}` };
    const { code, stdout, stderr } = await run([name, ...rest, ...admin], '', env);
    expect({ code, stderr }, line).toMatchObject({ code: 0 });
    if (output !== undefined) await writeFile(join(folder, output), stdout);
    outputs.set(name, stdout.toString());
  }
  expect(await readFile(join(folder, 'copy.pdf'))).toEqual(report);
  expect(outputs.get('check')).toContain('digest verified');
  expect(outputs.get('du')).toContain('"namespace":"orders","objects":1,"bytes":200000');
});
