import { fileURLToPath } from 'node:url';
import { LargePayloadCodec } from '@largepayload/codec';
import { NativeConnection, Worker } from '@temporalio/worker';
import * as activities from './activities.ts';

const connection = await NativeConnection.connect({
  address: process.env.TEMPORAL_ADDRESS ?? 'localhost:7233',
});

const worker = await Worker.create({
  connection,
  taskQueue: 'billing',
  workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)),
  activities,
  dataConverter: { payloadCodecs: [new LargePayloadCodec()] },
});
await worker.run();
