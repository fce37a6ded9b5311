import { encodeMetadataHeader } from '@largepayload/codec/wire/metadata';
import type { TransportRequest } from '../../http-client/transport.ts';
import type { PutRequest } from '../payload-service.ts';

/** A request without its address and token. */
export type GatewayRequest = Pick<TransportRequest, 'method' | 'path' | 'headers'>;

const OCTETS = { 'Content-Type': 'application/octet-stream' };

/** The PUT of the same payload as the worker's. docs/wire-protocol.md */
export function putToGateway({ namespace, facts, metadata, workflowId }: PutRequest): GatewayRequest {
  return {
    method: 'PUT',
    path: `/v2/blobs/put?${new URLSearchParams({ namespace, digest: facts.digest })}`,
    headers: {
      ...OCTETS,
      'content-length': String(facts.size),
      'X-Temporal-Metadata': encodeMetadataHeader(metadata),
      ...(workflowId !== undefined && { 'X-Payload-Store-Workflow-Id': workflowId }),
    },
  };
}

export function getFromGateway(key: string, expectedSize: number): GatewayRequest {
  return get(`/v2/blobs/get?${new URLSearchParams({ key })}`, expectedSize);
}

export function getVersionOneFromGateway(digest: string, expectedSize: number): GatewayRequest {
  return get(`/v1/blobs/get?${new URLSearchParams({ digest })}`, expectedSize);
}

export const HEALTH_OF_GATEWAY: GatewayRequest = { method: 'HEAD', path: '/v2/health/head', headers: {} };

function get(path: string, expectedSize: number): GatewayRequest {
  const headers = { ...OCTETS, 'X-Payload-Expected-Content-Length': String(expectedSize) };
  return { method: 'GET', path, headers };
}
