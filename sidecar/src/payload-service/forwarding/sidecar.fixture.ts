import { metadataHash } from '@largepayload/codec/wire/metadata';
import { type Answer, call } from '@largepayload/testing/service/http-call';
import { getPath, type TestPayload } from '@largepayload/testing/service/payload';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { Limits } from '../../http-client/limits.ts';
import { startSidecar } from '../../roles/sidecar.ts';
import type { ForwardingTimes } from './time-limits.ts';

const ANY_PORT = { host: '127.0.0.1', port: 0 };

export interface SidecarOptions {
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly limits?: Partial<Limits>;
  readonly times?: Partial<ForwardingTimes>;
  readonly keptBytes?: number;
  /** bytes; default: no cache */
  readonly cacheSize?: number;
}

/** A sidecar in this process before the gateway of this URL. It ends with the test. */
export async function sidecarBefore(url: string, { keptBytes, cacheSize, ...gateway }: SidecarOptions = {}) {
  const sidecar = await startSidecar(
    {
      gateway: { url: new URL(url), ...gateway },
      listen: { data: ANY_PORT, metrics: ANY_PORT },
      cacheSize,
      ...(keptBytes !== undefined && { keptBytes }),
    },
    pino({ level: 'silent' }),
  );
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= sidecar.stop();
    return stopped;
  };
  onTestFinished(stop);
  const { data, metrics } = sidecar.addresses;
  return {
    ...{ data, metrics, stop },
    put: (payload: TestPayload): Promise<Answer> => put(data, payload),
    get: (key: string, payload: TestPayload): Promise<Answer> => get(data, key, payload),
  };
}

export function put(address: string, { putPath, putHeaders, bytes }: TestPayload): Promise<Answer> {
  return call(address, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
}

export function get(address: string, key: string, { getHeaders }: TestPayload): Promise<Answer> {
  return call(address, getPath(key), { headers: getHeaders });
}

/** The key that a gateway without a TTL gives a payload. */
export function keyFor(payload: TestPayload, namespace = 'orders'): string {
  return `/blobs/${namespace}/common/${payload.digest}/${METADATA_HASH}`;
}

/** Of `METADATA_HEADER`. */
const METADATA_HASH = metadataHash(new Map([['encoding', Buffer.from('json/plain')]]));
