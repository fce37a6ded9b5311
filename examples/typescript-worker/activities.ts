export interface Order {
  readonly number: string;
  readonly customer: string;
  readonly cents: number;
}

/** Reads lines of `number,customer,cents`. */
export async function parseOrders(csv: string): Promise<Order[]> {
  return csv.split('\n').map((line) => {
    const [number = '', customer = '', cents] = line.split(',');
    return { number, customer, cents: Number(cents) };
  });
}

/** One text of all invoices. */
export async function renderInvoices(orders: Order[]): Promise<string> {
  return orders
    .map(({ number, customer, cents }) => `Invoice ${number}\nTo ${customer}\nTotal ${euros(cents)}\n`)
    .join('\f');
}

function euros(cents: number): string {
  return `EUR ${(cents / 100).toFixed(2)}`;
}
