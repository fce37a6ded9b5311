import { join } from 'node:path';

const HERE = import.meta.dirname;

export const BOUND_SERVER = join(HERE, 'bound-server.ts');
export const MEMORY_SERVICE = join(HERE, 'memory-service.ts');
export const PROGRAM = join(HERE, '../dist/payload-store.mjs');

/** Arguments that run the built program on a folder, on any free ports. */
export function serveArguments(config: string, folder: string, program = PROGRAM): string[] {
  return [...runArguments(config, program), '--data-dir', folder];
}

/** Arguments that run the built program on any free ports; what its storage needs is to be added. */
export function runArguments(config: string, program = PROGRAM): string[] {
  const anyPort = '127.0.0.1:0';
  return [
    ...[program, 'serve', '--config', config],
    ...['--listen', anyPort, '--metrics-listen', anyPort, '--admin-listen', anyPort],
  ];
}

export function manifest(retention: string): string {
  return `apiVersion: largepayload.dev/v1alpha1
kind: LargePayloadStore
metadata: {name: bench}
spec: {storage: {filesystem: {claimName: bench}}, retention: ${retention}}
`;
}
