import { activityFailureInterceptors } from '@largepayload/codec';
import { NativeConnection, Worker } from '@temporalio/worker';
import * as activities from './activities.ts';
import { payloadCodecs } from './codecs.ts';

/** Settings that the tests give in the environment. */
const {
  TEMPORAL_ADDRESS = '',
  E2E_TASK_QUEUE = '',
  E2E_WORKFLOW_BUNDLE = '',
  E2E_CODECS = '',
  E2E_INTERCEPTORS = '',
} = process.env;

const connection = await NativeConnection.connect({ address: TEMPORAL_ADDRESS });
const worker = await Worker.create({
  connection,
  namespace: 'default',
  taskQueue: E2E_TASK_QUEUE,
  workflowBundle: { codePath: E2E_WORKFLOW_BUNDLE },
  activities,
  dataConverter: { payloadCodecs: payloadCodecs(E2E_CODECS) },
  interceptors: { activity: E2E_INTERCEPTORS === 'activity failures' ? [activityFailureInterceptors] : [] },
  // Temporal notices a killed worker sooner than after 10 s.
  stickyQueueScheduleToStartTimeout: '1s',
});
await worker.run();
