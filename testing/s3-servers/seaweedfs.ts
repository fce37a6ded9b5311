import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../processes/free-port.ts';
import { seaweedfsProgram } from '../programs/seaweedfs.ts';
import { ACCESS_KEY, type S3Server, SECRET_KEY, startServer } from './s3-server.ts';

/** SeaweedFS, all its parts in one process. @throws MissingProgramError */
export async function startSeaweedfs(): Promise<S3Server> {
  const command = await seaweedfsProgram((line) => console.info(line));
  // Each part listens on two ports. The port for RPC is by default the other one plus 10,000.
  const ports = await freePorts(9);
  const [s3, s3Rpc, master, masterRpc, volume, volumeRpc, filer, filerRpc, metrics] = ports;
  return await startServer({
    name: 'seaweedfs',
    endpoint: `http://127.0.0.1:${s3}`,
    command,
    args: (folder) => [
      'server',
      `-dir=${folder}`,
      '-ip=127.0.0.1',
      '-ip.bind=127.0.0.1',
      `-metricsPort=${metrics}`,
      '-s3',
      `-s3.port=${s3}`,
      `-s3.port.grpc=${s3Rpc}`,
      '-s3.port.iceberg=0',
      '-s3.port.lance=0',
      '-s3.autoCreateBucket=false',
      `-s3.config=${configuration(folder)}`,
      `-master.port=${master}`,
      `-master.port.grpc=${masterRpc}`,
      '-master.telemetry=false',
      '-master.volumeSizeLimitMB=64',
      `-volume.port=${volume}`,
      `-volume.port.grpc=${volumeRpc}`,
      // Each bucket takes seven volumes.
      '-volume.max=2000',
      '-volume.preStopSeconds=0',
      `-filer.port=${filer}`,
      `-filer.port.grpc=${filerRpc}`,
    ],
    cleanUp: () => removeSockets(ports),
  });
}

/** Removes the sockets that SeaweedFS leaves in /tmp. Their folder cannot be configured. */
function removeSockets(ports: readonly number[]): void {
  for (const name of readdirSync('/tmp')) {
    const port = /^seaweedfs-.*-([0-9]+)\.sock$/.exec(name)?.[1];
    if (ports.includes(Number(port))) rmSync(`/tmp/${name}`, { force: true });
  }
}

function configuration(folder: string): string {
  const file = join(folder, 's3.json');
  const credentials = [{ accessKey: ACCESS_KEY, secretKey: SECRET_KEY }];
  const identity = { name: 'test', credentials, actions: ['Admin', 'Read', 'Write', 'List'] };
  writeFileSync(file, JSON.stringify({ identities: [identity] }));
  return file;
}
