import type { KubernetesObject } from './api.ts';
import { HttpApi } from './http-api.ts';
import { Informer, type InformerOptions } from './informer.ts';
import { CONFIG_MAPS } from './resources.ts';
import { answer, line, refuse, type Script, scriptedServer } from './scripted-server.fixture.ts';

/** Delays as in production, only shorter. */
export const TIMINGS = { firstDelayMs: 5, longestDelayMs: 200, healthyAfterMs: 100, silenceMs: 10_000 };

export const listed =
  (resourceVersion: string, items: KubernetesObject[], token?: string): Script =>
  (_, response) =>
    answer(response, 200, { metadata: { resourceVersion, continue: token }, items });
/** A watch that says these lines and stays open. */
export const watching =
  (...lines: string[]): Script =>
  (_, response) =>
    response.write(lines.join('') || '\n');
export const refused =
  (code: number, reason: string): Script =>
  (_, response) =>
    refuse(response, code, reason);
export const bookmark = (resourceVersion: string) => line('BOOKMARK', { metadata: { resourceVersion } });
export const dataOf = (object: KubernetesObject) => object.data as Record<string, string>;

export interface Bed extends AsyncDisposable {
  readonly informer: Informer<Record<string, string>>;
  readonly changes: [key: string, before: unknown, after: unknown][];
  readonly failures: string[];
  /** what was asked so far: `list`, or `watch` with its version */
  asked(): string[];
  readonly server: Awaited<ReturnType<typeof scriptedServer>>;
  readonly stop: AbortController;
}

/** Answers the first request by the first script, and so on; all after the last one by that. */
export async function informerOf(
  scripts: Script[],
  options: Partial<InformerOptions<Record<string, string>>> = {},
): Promise<Bed> {
  let next = 0;
  const server = await scriptedServer((asked, response) => {
    const script = scripts[Math.min(next, scripts.length - 1)];
    next += 1;
    return script?.(asked, response);
  });
  const failures: string[] = [];
  const changes: Bed['changes'] = [];
  const informer = new Informer({
    api: new HttpApi(server.access, { userAgent: 'test' }),
    selection: { resource: CONFIG_MAPS },
    map: dataOf,
    onFailure: ({ message }) => failures.push(message),
    timings: TIMINGS,
    ...options,
  });
  informer.onChange((...change) => changes.push(change));
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  return {
    ...{ informer, changes, failures, server, stop },
    asked: () =>
      server.asked.map(({ query }) =>
        query.has('watch') ? `watch ${query.get('resourceVersion')}` : 'list',
      ),
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test is over'));
      await running;
      await server[Symbol.asyncDispose]();
    },
  };
}
