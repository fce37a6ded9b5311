import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { startVersitygw, startVersitygwOverTls } from '@largepayload/testing/s3-servers/versitygw';
import { manifestOn } from '@largepayload/testing/service/manifest';
import { type LoadOrder, runLoad } from '../load/load-client.ts';
import { ServerProcess } from '../processes/server-process.ts';
import { PROGRAM, runArguments } from '../processes/servers.ts';
import { type CpuProfile, type CpuShares, cpuShares } from './cpu-shares.ts';

const KIB = 1024;
const GIB = 1024 ** 3;
const CLIENTS = 16;
const WARM_UP_SECONDS = 1;
const SECONDS = 2;
const SAMPLE_US = '500';

/** The processor time of one build, divided by kind of work. The profiler itself takes some of it. */
export interface Profile {
  /** seconds for each GiB */
  readonly cpu: number;
  readonly shares: CpuShares;
}

export interface ProfileRow {
  readonly what: string;
  readonly before: Profile;
  readonly after: Profile;
}

/** Where the processor time goes in this build and in another one. @param load the load client */
export async function profiles(load: string, baseline: string): Promise<ProfileRow[]> {
  return [
    ...(await profilesOn('S3', startVersitygw, load, baseline)),
    ...(await profilesOn('S3 over TLS', startVersitygwOverTls, load, baseline)),
  ];
}

async function profilesOn(
  where: string,
  start: (...options: string[]) => Promise<S3Server>,
  load: string,
  baseline: string,
): Promise<ProfileRow[]> {
  const server = await start('--keep-alive');
  const rows: ProfileRow[] = [];
  try {
    for (const [label, size] of [
      ['128 KiB', 128 * KIB],
      ['1 MiB', KIB * KIB],
    ] as const) {
      for (const verb of ['put', 'get'] as const) {
        const before = await profiled(server, baseline, load, verb, size);
        const after = await profiled(server, PROGRAM, load, verb, size);
        const operation = verb === 'put' ? 'PUT' : 'GET repeated';
        rows.push({ what: `${where}, ${operation} ${label}`, before, after });
      }
    }
  } finally {
    await server.stop();
  }
  return rows;
}

async function profiled(
  server: S3Server,
  program: string,
  load: string,
  verb: LoadOrder['verb'],
  size: number,
): Promise<Profile> {
  const folder = mkdtempSync(join(server.folder, 'profile-'));
  const config = join(folder, 'store.yaml');
  writeFileSync(config, manifestOn({ s3: await server.newBucket() }, { name: 'profile' }));
  const service = await ServerProcess.start(
    ...['--cpu-prof', '--cpu-prof-interval', SAMPLE_US, '--cpu-prof-dir', folder],
    ...runArguments(config, program),
    ...['--credentials-dir', server.credentialsFolder],
  );
  const run = (verb: LoadOrder['verb'], seed: string, seconds: number) => {
    const keys = join(folder, `${seed}.json`);
    return runLoad(load, service.port, { verb, clients: CLIENTS, size, seed, keys, seconds });
  };
  let moved: { cpu: number; from: number; to: number };
  try {
    await run('put', 'warm-up', WARM_UP_SECONDS);
    if (verb === 'get') await run('get', 'warm-up', WARM_UP_SECONDS);
    const [cpuBefore, from] = [service.cpuSeconds, now()];
    const { bytes } = await run(verb, verb === 'put' ? 'measured' : 'warm-up', SECONDS);
    moved = { cpu: (service.cpuSeconds - cpuBefore) / (bytes / GIB), from, to: now() };
  } finally {
    await service.stop();
  }
  return { cpu: moved.cpu, shares: cpuShares(profileIn(folder), moved.from, moved.to) };
}

/** µs of the monotonic clock, as V8 has them in profiles. */
function now(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** The profile of the main thread, which is the longest. */
function profileIn(folder: string): CpuProfile {
  const texts = readdirSync(folder)
    .filter((file) => file.endsWith('.cpuprofile'))
    .map((file) => readFileSync(join(folder, file), 'utf8'));
  const [longest] = texts.sort((a, b) => b.length - a.length);
  if (longest === undefined) throw new Error('the service wrote no CPU profile');
  return JSON.parse(longest) as CpuProfile;
}
