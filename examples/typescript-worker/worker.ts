import { LargePayloadCodec } from '@largepayload/codec';
import { NativeConnection, Worker } from '@temporalio/worker';
import * as activities from './activities.ts';
import { workflowCode } from './workflow-code.ts';

const connection = await NativeConnection.connect({
  address: process.env.TEMPORAL_ADDRESS ?? 'localhost:7233',
});

const worker = await Worker.create({
  connection,
  taskQueue: 'billing',
  ...workflowCode,
  activities,
  dataConverter: { payloadCodecs: [new LargePayloadCodec()] },
});
await worker.run();
