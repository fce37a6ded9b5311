import { afterAll, expect, test } from 'vitest';
import { httpAgents } from '../../../http-client/http-agents.ts';
import { never } from '../../conformance/subject.ts';
import { faultOf } from '../answers/sdk-faults.ts';
import { type Script, scriptedServer } from '../scripted-server.fixture.ts';
import type { SampleRequest } from './request-template.ts';
import { SignedRequests } from './signed-requests.ts';

const agents = httpAgents(undefined);
afterAll(() => agents.close());

const dated =
  (headers: Record<string, string>): Script =>
  ({ response }) =>
    response.writeHead(200, { 'Content-Length': '0', ...headers }).end();

/** On a scripted server, with an SDK that gives these samples in turn. */
async function requestsOn(
  script: Script,
  { samples = [], isClockFixed = false }: { samples?: (Error | undefined)[]; isClockFixed?: boolean } = {},
) {
  const server = await scriptedServer(script);
  const { hostname, port } = new URL(server.endpoint);
  const authorization =
    'AWS4-HMAC-SHA256 Credential=SAMPLE/20260501/r/s3/aws4_request, SignedHeaders=host, Signature=0';
  const sample: SampleRequest = {
    ...{ protocol: 'http:', hostname, port: Number(port), method: 'HEAD', path: '/payloads/sample-key' },
    headers: { host: `${hostname}:${port}`, authorization },
  };
  let asked = 0;
  const clock = { systemClockOffset: 0, disableClockSkewCorrection: async () => isClockFixed };
  const credentials = async () => ({ accessKeyId: 'id', secretAccessKey: 'secret' });
  const requests = new SignedRequests(agents, credentials, {
    clock,
    sample: async () => {
      asked += 1;
      const failure = samples[asked - 1];
      if (failure !== undefined) throw failure;
      return sample;
    },
  });
  const head = (key: string) => requests.send({ verb: 'head', key }, {}, never());
  return { server, clock, head, asked: () => asked };
}

test('requests at the same time, and later requests, need one sample', async () => {
  const { head, asked, server } = await requestsOn(dated({}));
  await Promise.all(['a', 'b', 'c'].map(head));
  await head('d');
  expect(asked()).toBe(1);
  expect(server.asked.map(({ path }) => path).sort()).toEqual(
    ['a', 'b', 'c', 'd'].map((key) => `/payloads/${key}`),
  );
});

test('a sample that fails is asked for again by the next request', async () => {
  const failure = new Error('Region is missing');
  const { head, asked } = await requestsOn(dated({}), { samples: [failure] });
  expect(faultOf(await head('a').catch((error) => error))).toMatchObject({ code: 'NoRegion' });
  expect(await head('a')).toMatchObject({ statusCode: 200 });
  expect(asked()).toBe(2);
});

const HOUR = 3_600_000;
const inAnHour = { Date: new Date(Date.now() + HOUR).toUTCString() };

test('the clock follows the Date of an answer', async () => {
  const { head, clock } = await requestsOn(dated(inAnHour));
  await head('a');
  expect(Math.abs(clock.systemClockOffset - HOUR)).toBeLessThan(60_000);
});

test.each([
  ['that is no time', { Date: 'soon' }, false],
  ['of an answer that comes from a cache', { ...inAnHour, Age: '0' }, false],
  ['where the environment forbids it', inAnHour, true],
])('the clock does not follow a Date %s', async (_title, headers, isClockFixed) => {
  const { head, clock } = await requestsOn(dated(headers), { isClockFixed });
  await head('a');
  expect(clock.systemClockOffset).toBe(0);
});
