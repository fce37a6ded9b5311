// node --conditions=largepayload-source docs/adr/measurements/signed-requests.mjs OLD NEW [ROUNDS]
// What a PUT and a GET cost two builds of payload-store (paths of `payload-store.mjs`) before one versitygw that keeps
// connections: processor time of the service and throughput, in turns, medians of the rounds.
import { join } from 'node:path';
import { startVersitygw } from '@largepayload/testing/s3-servers/versitygw';
import { benchPrograms } from '../../../sidecar/bench/load/go-programs.ts';
import { runLoad } from '../../../sidecar/bench/load/load-client.ts';
import { serveS3 } from '../../../sidecar/bench/s3/s3-service.ts';

const MIB = 1024 * 1024;
const CLIENTS = 16;
const CASES = [
  { name: '128 KiB', size: MIB / 8, count: 1_200 },
  { name: '1 MiB', size: MIB, count: 240 },
];
const [oldProgram, newProgram, rounds = '7'] = process.argv.slice(2);
const { load } = await benchPrograms();
const server = await startVersitygw('--keep-alive');
const sides = [await serve('old', oldProgram), await serve('new', newProgram)];
try {
  for (const { name, size, count } of CASES) await measure(name, size, count);
} finally {
  for (const { service } of sides) await service.stop();
  await server.stop();
}

async function serve(name, program) {
  return { name, service: await serveS3(server, await server.newBucket(), name, program) };
}

async function measure(name, size, count) {
  const results = { put: { old: [], new: [] }, get: { old: [], new: [] } };
  // The first round warms up.
  for (let round = 0; round <= Number(rounds); round += 1) {
    const inTurn = round % 2 === 0 ? sides : sides.toReversed();
    for (const { name: side, service } of inTurn) {
      const seed = `${name}-${round}-${side}`;
      const keys = join(server.folder, `${seed}.json`);
      const order = { clients: CLIENTS, size, seed, keys, count };
      const put = await costs(service, { verb: 'put', ...order });
      const get = await costs(service, { verb: 'get', ...order });
      if (round === 0) continue;
      results.put[side].push(put);
      results.get[side].push(get);
    }
  }
  for (const [verb, { old, new: fresh }] of Object.entries(results)) {
    const cpu = [old, fresh].map((all) => median(all.map((each) => each.cpu)));
    const speed = [old, fresh].map((all) => median(all.map((each) => each.speed)));
    console.log(
      `${verb.toUpperCase()} ${name}: CPU ${cpu.map((each) => each.toFixed(2)).join(' -> ')} s/GiB (${(cpu[1] / cpu[0]).toFixed(2)}),`,
      `${speed.map((each) => each.toFixed(0)).join(' -> ')} MiB/s (${(speed[1] / speed[0]).toFixed(2)})`,
    );
  }
}

async function costs(service, order) {
  const before = service.cpuSeconds;
  const { bytes, mibPerSecond } = await runLoad(load, service.port, order);
  return { cpu: (service.cpuSeconds - before) / (bytes / MIB / 1_024), speed: mibPerSecond };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
