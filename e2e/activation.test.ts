import { setImmediate as nextLoopIteration } from 'node:timers/promises';
import { LargePayloadCodec } from '@largepayload/codec';
import { memoryService } from '@largepayload/testing/service/memory-service';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { WorkflowCodecRunner } from '@temporalio/worker/lib/workflow-codec-runner.js';
import { expect, test } from 'vitest';

/** Decodes an activation as Temporal's worker does. */
const { WorkflowActivation } = proto.coresdk.workflow_activation;

const count = 60;
const sizeBytes = 1_000;
const payloads = Array.from({ length: count }, (_, index) => ({
  metadata: { encoding: Buffer.from('binary/plain') },
  data: Buffer.from(String(index).padEnd(sizeBytes)),
}));

type Job = (reference: Payload, index: number) => object;

const jobs: Record<string, Job> = {
  signals: (reference) => ({ signalWorkflow: { signalName: 's', input: [reference] } }),
  'results of activities': (result, seq) => ({ resolveActivity: { seq, result: { completed: { result } } } }),
  'results of children': (result, seq) => ({
    resolveChildWorkflowExecution: { seq, result: { completed: { result } } },
  }),
  updates: (reference, index) => ({ doUpdate: { id: `${index}`, name: 'u', input: [reference] } }),
};

/** Returns payloads as they are, after five turns of the event loop. */
const slowCodec: PayloadCodec = {
  encode: async (encoded) => encoded,
  async decode(decoded) {
    for (let turn = 0; turn < 5; turn += 1) await nextLoopIteration();
    return decoded;
  },
};

async function decodeActivation(job: Job, maxDecodedBytes: number, otherCodecs: PayloadCodec[]) {
  await using service = await memoryService();
  const options = { url: service.url, namespace: 'orders', thresholdBytes: 0, maxDecodedBytes };
  const references = await new LargePayloadCodec(options).encode(payloads);
  service.calls.length = 0;
  const bytes = WorkflowActivation.encode({ runId: 'r', jobs: references.map(job) }).finish();
  const context = { type: 'workflow', namespace: 'orders', workflowId: 'w' } as const;
  const runner = new WorkflowCodecRunner([...otherCodecs, new LargePayloadCodec(options)], context);
  const outcome = await runner.decodeActivation(WorkflowActivation.decode(new Uint8Array(bytes))).then(
    ({ jobs: decoded }) => decoded.length,
    ({ name, message }: Error) => `${name}: ${message}`,
  );
  return { outcome, fetched: service.calls.length };
}

test.each(
  Object.entries(jobs).flatMap(([name, job]) => [
    [name, 'alone', job, []] as const,
    [name, 'with a slow codec', job, [slowCodec]] as const,
  ]),
)('the codec counts the %s of one activation together, %s', async (_name, _chain, job, otherCodecs) => {
  const limit = 45 * sizeBytes;
  const { outcome, fetched } = await decodeActivation(job, limit, [...otherCodecs]);
  expect(outcome).toMatch(/^DecodedBytesLimitError: .* more than the limit of 45000 bytes/);
  expect(fetched).toBeLessThanOrEqual(45);
  expect((await decodeActivation(job, count * sizeBytes, [...otherCodecs])).outcome).toBe(count);
});
