import { type Exchange, refusal } from './scripted-server.fixture.ts';

const NAMES = ['store.json', 'lease.json', 'clock.json', 'write-check'];

/** What the service keeps for itself in a bucket, for scripts whose listings are made up. */
export class OwnObjects {
  readonly #objects: Map<string, Buffer>;

  /** @param texts of those that are there, by name */
  constructor(texts: Readonly<Record<string, string>> = {}) {
    this.#objects = new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));
  }

  /** Whether it was asked for one of them, and has answered. */
  async answer(exchange: Exchange): Promise<boolean> {
    const { pathname } = new URL(exchange.path, 'http://bucket');
    const name = NAMES.find((each) => pathname.endsWith(`/${each}`));
    if (name === undefined) return false;
    await this.#answer(name, exchange);
    return true;
  }

  async #answer(name: string, exchange: Exchange): Promise<void> {
    const { method, headers, response, body } = exchange;
    if (method === 'PUT') {
      if (headers.expect !== undefined) response.writeContinue();
      this.#objects.set(name, await body());
      response.end();
      return;
    }
    if (method === 'DELETE') {
      this.#objects.delete(name);
      response.writeHead(204).end();
      return;
    }
    const stored = this.#objects.get(name);
    if (stored === undefined) {
      await refusal(404, 'NoSuchKey')(exchange);
      return;
    }
    response.writeHead(200, { 'Content-Length': stored.length });
    response.end(method === 'GET' ? stored : undefined);
  }
}
