// Processor time of our HTTP client beside Node's, on one versitygw, without TLS and with it; rounds take turns.
//   node --conditions=largepayload-source sidecar/bench/http-client-costs.ts
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '@largepayload/testing/benchmarks/markdown-table';
import { writeCertificates } from '@largepayload/testing/cluster/certificates';
import { freePorts } from '@largepayload/testing/processes/free-port';
import { Program } from '@largepayload/testing/processes/program';
import { goProgram } from '@largepayload/testing/programs/go-program';
import { ACCESS_KEY, SECRET_KEY } from '@largepayload/testing/s3-servers/s3-server';
import { VERSITYGW } from '@largepayload/testing/s3-servers/versitygw';
import { exchange } from '../src/http-client/exchange.ts';
import { type HttpAgents, httpAgents } from '../src/http-client/http-agents.ts';
import type { AnswerBody, TransportRequest } from '../src/http-client/transport.ts';

const KIB = 1024;
const SIZES = [128 * KIB, 1024 * KIB, 16 * 1024 * KIB];
const CLIENTS = 8;
const ROUND_BYTES = 128 * 1024 * KIB;
const ROUNDS = 5;

const folder = mkdtempSync(join(tmpdir(), 'client-costs-'));
await writeCertificates(folder, [{ name: 'server', subject: '/CN=server', addresses: ['DNS:localhost'] }]);
const authority = readFileSync(join(folder, 'ca.crt'), 'utf8');
const command = await goProgram(VERSITYGW, (line) => console.info(line));

console.log('| | KiB | node:http, CPU-s/GiB | ours | of it |\n| --- | ---: | ---: | ---: | ---: |');
for (const protocol of ['http:', 'https:']) {
  const [port = 0] = await freePorts(1);
  const data = mkdtempSync(join(folder, 'data-'));
  const tls =
    protocol === 'http:' ? [] : ['--cert', join(folder, 'server.crt'), '--key', join(folder, 'server.key')];
  const env = {
    ...process.env,
    ROOT_ACCESS_KEY: ACCESS_KEY,
    ROOT_SECRET_KEY: SECRET_KEY,
    VGW_KEEP_ALIVE: 'true',
  };
  const args = ['--quiet', '--port', `127.0.0.1:${port}`, ...tls, 'posix', data];
  const { program } = await Program.start(
    { name: 'versitygw', command, args, env, logFile: join(folder, 'log') },
    () => true,
  );
  try {
    const agents = httpAgents(authority);
    await untilItTakes(agents, { protocol, hostname: 'localhost', port });
    for (const size of SIZES) await compare(agents, { protocol, hostname: 'localhost', port }, size);
    agents.close();
  } finally {
    await program.stop('SIGTERM', 2_000);
  }
}
rmSync(folder, { recursive: true });

type Server = Pick<TransportRequest, 'protocol' | 'hostname' | 'port'>;

async function untilItTakes(agents: HttpAgents, server: Server): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const { statusCode } = await exchange(agents, signed(server, 'PUT', '/bench', Buffer.alloc(0)), {});
      if (statusCode === 200) return;
    } catch (error) {
      if (attempt === 100) throw error;
    }
    await sleep(100);
  }
}

async function compare(agents: HttpAgents, server: Server, size: number): Promise<void> {
  const body = Buffer.alloc(size, 'large payload ');
  const work = {
    put: (index: number, byNode: boolean) =>
      exchange(agents, signed(server, 'PUT', `/bench/${size}-${index}`, body), { byNode }),
    get: async (index: number, byNode: boolean) => {
      const options = { byNode, streamAnswer: true };
      const answer = await exchange(agents, signed(server, 'GET', `/bench/${size}-${index}`), options);
      let bytes = 0;
      const write = (chunk: Buffer) => {
        bytes += chunk.length;
        return undefined;
      };
      await (answer.body as AnswerBody).readInto({ write });
      if (bytes !== size) throw new Error(`${bytes} bytes of ${size}`);
    },
  };
  const count = ROUND_BYTES / size;
  for (const [name, request] of Object.entries(work)) {
    const costs: [node: number[], ours: number[]] = [[], []];
    for (let round = -1; round < ROUNDS; round += 1) {
      for (const byNode of [true, false]) {
        const cost = await costOf(count, (index) => request(index, byNode));
        if (round >= 0) costs[byNode ? 0 : 1].push(cost);
      }
    }
    const [node, ours] = costs.map(median) as [number, number];
    const label = `${name.toUpperCase()} ${server.protocol === 'http:' ? 'plain' : 'TLS'}`;
    console.log(
      `| ${label} | ${size / KIB} | ${node.toFixed(2)} | ${ours.toFixed(2)} | ${(ours / node).toFixed(2)} |`,
    );
  }
}

/** Processor time of this process for a GiB, in seconds. */
async function costOf(count: number, request: (index: number) => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  const queue = Array.from({ length: count }, (_, index) => index).values();
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (const index of queue) await request(index);
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6 / (ROUND_BYTES / 1024 ** 3);
}

/** By Signature Version 4, with an unsigned payload, so that the cost is that of the transport. */
function signed(server: Server, method: string, path: string, body?: Buffer): TransportRequest {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const day = time.slice(0, 8);
  const headers = {
    host: `${server.hostname}:${server.port}`,
    'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    'x-amz-date': time,
  };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = [method, path, '', lines.join(''), names, 'UNSIGNED-PAYLOAD'].join('\n');
  const scope = `${day}/us-east-1/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join(
    '\n',
  );
  let key: Buffer = Buffer.from(`AWS4${SECRET_KEY}`);
  for (const part of [...scope.split('/'), text]) key = createHmac('sha256', key).update(part).digest();
  const authorization = `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY}/${scope}, SignedHeaders=${names}, Signature=${key.toString('hex')}`;
  const length = body === undefined ? {} : { 'content-length': `${body.length}` };
  return {
    ...server,
    method,
    path,
    headers: { ...headers, ...length, authorization },
    ...(body === undefined ? {} : { body: [body] }),
  };
}
