// node --conditions=largepayload-source docs/adr/measurements/signed-requests.mjs OLD NEW [ROUNDS]
// What a PUT and a GET cost two builds of payload-store (paths of `payload-store.mjs`) before one versitygw that keeps
// connections: processor time of the service and throughput, in turns, medians of the rounds.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startVersitygw } from '@largepayload/testing/s3-servers/versitygw';
import { manifestOn } from '@largepayload/testing/service/manifest';
import { getsOf, keysOf, payloadSet, putsOf, runLoad } from '../../../sidecar/bench/load.ts';
import { ServerProcess } from '../../../sidecar/bench/server-process.ts';

const MIB = 1024 * 1024;
const CLIENTS = 16;
const CASES = [
  { name: '128 KiB', size: MIB / 8, count: 1_200 },
  { name: '1 MiB', size: MIB, count: 240 },
];
const [oldProgram, newProgram, rounds = '7'] = process.argv.slice(2);
const server = await startVersitygw('--keep-alive');
const sides = [await serve('old', oldProgram), await serve('new', newProgram)];
try {
  for (const { name, size, count } of CASES) await measure(name, size, count);
} finally {
  for (const { service } of sides) await service.stop();
  await server.stop();
}

async function serve(name, program) {
  const config = join(server.folder, `${name}.yaml`);
  writeFileSync(config, manifestOn({ s3: await server.newBucket() }, { name }));
  const any = '127.0.0.1:0';
  const ports = ['--listen', any, '--metrics-listen', any, '--admin-listen', any];
  const credentials = ['--credentials-dir', server.credentialsFolder];
  const service = await ServerProcess.start(program, 'serve', '--config', config, ...ports, ...credentials);
  return { name, service };
}

async function measure(name, size, count) {
  const results = { put: { old: [], new: [] }, get: { old: [], new: [] } };
  // The first round warms up.
  for (let round = 0; round <= Number(rounds); round += 1) {
    const inTurn = round % 2 === 0 ? sides : sides.toReversed();
    for (const { name: side, service } of inTurn) {
      const puts = putsOf(payloadSet(size, count, `${name}-${round}-${side}`));
      const put = await costs(service, puts, size);
      const get = await costs(service, getsOf(keysOf(put.result), size), size);
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

async function costs(service, exchanges, size) {
  const before = service.cpuSeconds;
  const result = await runLoad(service.port, CLIENTS, exchanges);
  const mebibytes = (exchanges.length * size) / MIB;
  return {
    result,
    cpu: ((service.cpuSeconds - before) / mebibytes) * 1_024,
    speed: mebibytes / result.seconds,
  };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
