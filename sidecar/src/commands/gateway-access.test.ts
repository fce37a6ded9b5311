import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { httpsServer } from '@largepayload/testing/servers/test-server';
import { type MemoryService, memoryService } from '@largepayload/testing/service/memory-service';
import { realProgram } from '@largepayload/testing/service/real-program';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const { run } = realProgram();

const authority = testAuthority();
const { certificate: cert, key } = authority.issue();
const server = { cert, key };

let folder: string;
let gateway: MemoryService;
const shown = new Set<string | undefined>();
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-access-'));
  await writeFile(file('ca.crt'), authority.certificate);
  await writeFile(file('token'), 'one.two.three\n');
  await writeFile(file('payload'), 'content');
  gateway = await memoryService(({ headers }) => shown.add(headers.authorization), server);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

function optionsFor(url: string): string[] {
  return ['--url', url, '--token-file', file('token'), '--ca-file', file('ca.crt')];
}

describe.concurrent('a gateway with TLS and tokens', () => {
  test('is reached by put, get and check, by options or the environment', async () => {
    const put = await run(['put', '--namespace', 'orders', ...optionsFor(gateway.url), file('payload')]);
    expect(put).toMatchObject({ code: 0, stderr: '' });
    const environment = {
      LARGE_PAYLOAD_SERVICE_URL: gateway.url,
      LARGE_PAYLOAD_SERVICE_TOKEN_FILE: file('token'),
      LARGE_PAYLOAD_SERVICE_CA_FILE: file('ca.crt'),
    };
    const [got, checked] = await Promise.all([
      run(['get', '-'], put.stdout, environment),
      run(['check', '--size', '1k'], '', environment),
    ]);
    expect(got).toMatchObject({ code: 0, stdout: Buffer.from('content') });
    expect(checked).toMatchObject({ code: 0, stderr: '' });
    expect([...shown]).toEqual(['Bearer one.two.three']);
  });

  test('that refuses the token ends a command with 5, the reason, and how to make a token', async () => {
    const error = { code: 'token_refused', message: 'the token has expired' };
    await using refusing = await httpsServer(server, (_request, response) => {
      response.writeHead(503).end(JSON.stringify({ error }));
    });
    const args = ['put', '--namespace', 'orders', ...optionsFor(refusing.url), file('payload')];
    const outcome = await run(args);
    expect(outcome).toMatchObject({ code: 5, stderr: expect.stringContaining('the token has expired') });
    expect(outcome.stderr).toContain('kubectl create token');
    expect(outcome.stderr).not.toContain('one.two.three');
  });

  test('of an unknown authority ends a command with 5, and how to trust it', async () => {
    const args = ['--url', gateway.url, file('payload')];
    const outcome = await run(['put', '--namespace', 'orders', ...args]);
    expect(outcome).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('not from a trusted authority'),
    });
    expect(outcome.stderr).toContain('LARGE_PAYLOAD_SERVICE_CA_FILE');
  });

  test.each([
    ['put', ['--namespace', 'orders']],
    ['codec-server', ['--listen', '127.0.0.1:0']],
  ])('is never sent a token without TLS: %s ends with 2', async (command, args) => {
    const url = 'http://gateway.orders.svc:8577';
    const positional = command === 'put' ? [file('payload')] : [];
    const outcome = await run([command, ...args, ...optionsFor(url), ...positional]);
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining('without TLS') });
  });
});
