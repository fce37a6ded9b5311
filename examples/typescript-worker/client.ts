import { LargePayloadCodec } from '@largepayload/codec';
import { Client, Connection } from '@temporalio/client';
import type { billOrders } from './workflows.ts';

const megabytes = (text: string) => `${(text.length / 1e6).toFixed(1)} MB`;

const connection = await Connection.connect({
  address: process.env.TEMPORAL_ADDRESS ?? 'localhost:7233',
  connectTimeout: '1 minute',
});
const client = new Client({ connection, dataConverter: { payloadCodecs: [new LargePayloadCodec()] } });

const customer = 'name and address and notes of a customer; '.repeat(25);
const csv = Array.from(
  { length: 10_000 },
  (_, index) => `${index},${customer}${index % 997},${index % 9_973}`,
);
const input = csv.join('\n');
const handle = await client.workflow.start<typeof billOrders>('billOrders', {
  workflowId: `bill-orders-${Date.now()}`,
  taskQueue: 'billing',
  // The default of 10 s is little for many megabytes on a busy machine.
  workflowTaskTimeout: '1 minute',
  args: [input],
});
const { orders, cents, invoices } = await handle.result();
const { historySize } = await handle.describe();

console.log(`${orders} orders in ${megabytes(input)}, EUR ${(cents / 100).toFixed(2)} in all`);
console.log(`${megabytes(invoices)} of invoices; the workflow's history has ${historySize} bytes`);
await connection.close();
