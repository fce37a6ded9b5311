// node --conditions=largepayload-source docs/adr/measurements/unsigned-payload.mjs [ROUNDS]: PUTs of objects to versitygw,
// with the body signed by its SHA-256 and with UNSIGNED-PAYLOAD beside the signed checksum header, in turns: processor time
// of versitygw and of this client, and throughput; medians of the rounds.
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { cpuSecondsOf } from '@largepayload/testing/processes/process-facts';
import { ACCESS_KEY, SECRET_KEY } from '@largepayload/testing/s3-servers/s3-server';
import { startVersitygw } from '@largepayload/testing/s3-servers/versitygw';
import { SignatureV4, signingTime } from '../../../sidecar/src/drivers/s3/signing/signature-v4.ts';
import { exchange } from '../../../sidecar/src/http-client/exchange.ts';
import { httpAgents } from '../../../sidecar/src/http-client/http-agents.ts';

const MIB = 1024 * 1024;
const CLIENTS = 8;
const CASES = [
  { name: '128 KiB', size: MIB / 8, count: 240 },
  { name: '1 MiB', size: MIB, count: 48 },
];
const [rounds = '15'] = process.argv.slice(2);
const server = await startVersitygw('--keep-alive');
const { bucket } = await server.newBucket();
const { hostname, port } = new URL(server.endpoint);
const pid = readdirSync('/proc').find((each) => isServer(each));
const agents = httpAgents(undefined);
const signature = new SignatureV4({ region: 'us-east-1', service: 's3' });
const keys = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };
try {
  for (const each of CASES) await measure(each);
} finally {
  agents.close();
  await server.stop();
}

function isServer(each) {
  try {
    const text = readFileSync(`/proc/${each}/cmdline`, 'utf8');
    return text.includes('versitygw') && text.includes(server.folder);
  } catch {
    return false;
  }
}

async function measure({ name, size, count }) {
  const bodies = Array.from({ length: count }, () => {
    const body = randomBytes(size);
    return { body, sha256: createHash('sha256').update(body).digest() };
  });
  const results = { signed: [], unsigned: [] };
  for (let round = 0; round <= Number(rounds); round += 1) {
    const modes = round % 2 === 0 ? ['signed', 'unsigned'] : ['unsigned', 'signed'];
    for (const mode of modes) {
      const result = await putAll(bodies, mode, `${name}/${round}/${mode}`);
      if (round > 0) results[mode].push(result);
    }
  }
  for (const unit of ['versitygw s/GiB', 'client s/GiB', 'MiB/s']) {
    const [before, after] = ['signed', 'unsigned'].map((mode) =>
      median(results[mode].map((each) => each[unit])),
    );
    const ratio = median(results.signed.map((each, index) => results.unsigned[index][unit] / each[unit]));
    console.log(
      `PUT ${name}, ${unit}: ${before.toFixed(2)} -> ${after.toFixed(2)}, median of ratios ${ratio.toFixed(2)}`,
    );
  }
}

async function putAll(bodies, mode, prefix) {
  const [serverBefore, clientBefore, started] = [cpuSecondsOf(pid), process.cpuUsage(), performance.now()];
  const queue = bodies.entries();
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (const [index, { body, sha256 }] of queue) await put(`${prefix}/${index}`, body, sha256, mode);
    }),
  );
  const seconds = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(clientBefore);
  const gibibytes = bodies.reduce((sum, { body }) => sum + body.length, 0) / MIB / 1_024;
  return {
    'versitygw s/GiB': (cpuSecondsOf(pid) - serverBefore) / gibibytes,
    'client s/GiB': (user + system) / 1e6 / gibibytes,
    'MiB/s': (gibibytes * 1_024) / seconds,
  };
}

async function put(key, body, sha256, mode) {
  const time = signingTime(Date.now());
  const payloadHash = mode === 'signed' ? sha256.toString('hex') : 'UNSIGNED-PAYLOAD';
  const headers = {
    host: `${hostname}:${port}`,
    'content-length': `${body.length}`,
    'if-none-match': '*',
    'x-amz-checksum-sha256': sha256.toString('base64'),
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': time,
  };
  const path = `/${bucket}/${encodeURI(key)}`;
  const authorization = signature.authorization(
    { method: 'PUT', path, query: '', headers, payloadHash },
    keys,
    time,
  );
  const request = { protocol: 'http:', hostname, port: Number(port), method: 'PUT', path, body: [body] };
  const { statusCode, body: answer } = await exchange(
    agents,
    { ...request, headers: { ...headers, authorization } },
    {},
  );
  if (statusCode !== 200) throw new Error(`${statusCode} ${answer}`);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
