// The service over the memory driver: what it costs besides storage.
import '../src/runtime-settings.ts';
import { parseLargePayloadStore } from '@largepayload/crds';
import { MemoryDriver } from '@largepayload/testing/drivers/memory-driver';
import { pino } from 'pino';
import { startStandalone } from '../src/roles/standalone.ts';
import { manifest } from './servers.ts';

const CAPACITY = 12 * 1024 ** 3;

const log = pino({ base: null });
const anyPort = { host: '127.0.0.1', port: 0 };
const service = await startStandalone(
  new MemoryDriver(CAPACITY),
  {
    // Payloads are read within seconds and removed by cleanup, so that their memory is used again.
    manifest: parseLargePayloadStore(manifest('{ttl: 40s, reaperInterval: 1h}'), 'bench'),
    version: 'bench',
    listen: { data: anyPort, metrics: anyPort, admin: anyPort },
  },
  log,
);
log.info(service.addresses, 'listening');
process.on('SIGTERM', () => void service.stop());
