import { proxyActivities } from '@temporalio/workflow';
import type * as activities from './activities.ts';

const { parseOrders, renderInvoices } = proxyActivities<typeof activities>({
  startToCloseTimeout: '1 minute',
});

export interface Billing {
  readonly orders: number;
  readonly cents: number;
  readonly invoices: string;
}

/** Orders come in, and invoices go out, in any size: nothing here knows how large payloads travel. */
export async function billOrders(csv: string): Promise<Billing> {
  const orders = await parseOrders(csv);
  const invoices = await renderInvoices(orders);
  const cents = orders.reduce((sum, order) => sum + order.cents, 0);
  return { orders: orders.length, cents, invoices };
}
