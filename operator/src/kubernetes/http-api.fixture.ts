import { expect } from 'vitest';
import { ApiError } from './api.ts';
import { HttpApi, type RequestOutcome } from './http-api.ts';
import { CONFIG_MAPS } from './resources.ts';
import { type Script, scriptedServer } from './scripted-server.fixture.ts';

export const NEVER = new AbortController().signal;
export const NAME = { resource: CONFIG_MAPS, namespace: 'shop', name: 'one' };

/** A client of an API server that answers by the script, with the outcomes of its calls. */
export async function apiOf(script: Script) {
  const server = await scriptedServer(script);
  const outcomes: RequestOutcome[] = [];
  const onRequest = (outcome: RequestOutcome) => outcomes.push(outcome);
  const api = new HttpApi(server.access, { userAgent: 'large-payload-operator/1.2.3', onRequest });
  return { api, server, outcomes, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

export async function failureOf(work: Promise<unknown>): Promise<ApiError> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ApiError);
  return failure as ApiError;
}
