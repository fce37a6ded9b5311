import { join } from 'node:path';

export const PROGRAM = join(import.meta.dirname, '../../dist/payload-store.mjs');

/** Arguments that run the built program, or another build of it, on a folder and any free ports. */
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
