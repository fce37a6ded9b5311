const { randomBytes } = require('node:crypto');

/** Carries a large document through a workflow and an activity, for both kinds of application. */
exports.roundTrip = async ({ LargePayloadCodec, Client, Connection, NativeConnection, Worker }) => {
  const address = process.env.TEMPORAL_ADDRESS;
  const taskQueue = process.argv[2];
  const dataConverter = { payloadCodecs: [new LargePayloadCodec()] };
  const client = new Client({ connection: await Connection.connect({ address }), dataConverter });
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address }),
    taskQueue,
    workflowsPath: require.resolve('./workflows.cjs'),
    activities: { giveBack: async (document) => document },
    dataConverter,
  });
  const document = new Uint8Array(randomBytes(10_000_000));
  const handle = await client.workflow.start('echo', { taskQueue, workflowId: taskQueue, args: [document] });
  const result = await worker.runUntil(handle.result());
  const { historySize } = await handle.describe();
  const isEqual = Buffer.compare(document, result) === 0;
  console.log(JSON.stringify({ msg: 'done', node: process.version, isEqual, historySize }));
  process.exit(0);
};
