import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { parseOrders, renderInvoices } from '../../../examples/typescript-worker/activities.ts';
import type { billOrders } from '../../../examples/typescript-worker/workflows.ts';
import { Traffic } from '../fixtures/traffic.fixture.ts';

/** bytes: about the size of the orders too */
const DOCUMENT_BYTES = 10e6;
const STAMP = Buffer.from('stamped\n');
/** Few and long, so that a workflow reads them in little time on a busy machine, too. */
const CUSTOMER = 'name and address and notes of a customer; '.repeat(25);
const ORDERS = Array.from(
  { length: 10_000 },
  (_, index) => `${index},${CUSTOMER}${index % 997},${index % 9_973}`,
);
/** The default of 10 s is little for many megabytes on a busy machine. */
const workflowTaskTimeout = '1 minute';

/** Workflows with payloads of 10 MB and more that a client outside of the cluster starts, one after the other for each worker. */
export class Documents {
  readonly traffic: Traffic;
  readonly #client: Client;
  readonly #run = randomBytes(4).toString('hex');
  readonly #rest = renderRest();
  /** workflows that completed with the right bytes */
  billed = 0;
  stamped = 0;

  constructor(client: Client) {
    this.#client = client;
    this.traffic = new Traffic([() => this.#bill(), () => this.#stamp()]);
  }

  /** The example's workflow, which a worker in TypeScript runs. */
  async #bill(): Promise<void> {
    // The first order makes all payloads of this workflow its own.
    const first = `${this.#run}-${this.billed},Customer ${randomBytes(8).toString('hex')},100`;
    const { orders, cents, invoices } = await this.#client.workflow.execute<typeof billOrders>('billOrders', {
      workflowId: `bill-${this.#run}-${this.billed}`,
      taskQueue: 'billing',
      workflowTaskTimeout,
      args: [[first, ...ORDERS].join('\n')],
    });
    const { text, cents: restCents } = await this.#rest;
    assertEqual('orders', orders, ORDERS.length + 1);
    assertEqual('cents', cents, restCents + 100);
    assertEqual('invoices', invoices, `${await renderInvoices(await parseOrders(first))}\f${text}`);
    this.billed += 1;
  }

  /** The workflow of the worker in Go. Its codec reads what this process's codec has stored, and the other way round. */
  async #stamp(): Promise<void> {
    const document = randomBytes(DOCUMENT_BYTES);
    const stamped = await this.#client.workflow.execute<(document: Uint8Array) => Promise<Uint8Array>>(
      'StampDocument',
      {
        workflowId: `stamp-${this.#run}-${this.stamped}`,
        taskQueue: 'stamping',
        workflowTaskTimeout,
        args: [document],
      },
    );
    if (!Buffer.concat([STAMP, document]).equals(stamped)) throw new Error('stamped: other bytes');
    this.stamped += 1;
  }
}

/** What the worker makes of `ORDERS`. */
async function renderRest(): Promise<{ readonly text: string; readonly cents: number }> {
  const orders = await parseOrders(ORDERS.join('\n'));
  return { text: await renderInvoices(orders), cents: orders.reduce((sum, order) => sum + order.cents, 0) };
}

/** Without the values in its message, which may have megabytes. */
function assertEqual<T>(what: string, actual: T, expected: T): void {
  if (actual !== expected) throw new Error(`${what}: not what the worker was given`);
}
