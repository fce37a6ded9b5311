import { createHash } from 'node:crypto';
import decodeFile from './decode-vectors.json' with { type: 'json' };
import encodeFile from './encode-vectors.json' with { type: 'json' };
import keyFile from './key-vectors.json' with { type: 'json' };

/** Base64, or a number of bytes, where the byte at position i is i mod 251. */
export type Content = string | { readonly generated: number };

/** Text, or bytes in base64; what is long is given by its length and the hex of its SHA-256. */
export type Expected = string | { readonly bytes: number; readonly sha256: string };

export interface PayloadVector {
  readonly metadata: readonly (readonly [string, Content])[];
  readonly data: Content;
  /** `size_bytes` of each */
  readonly externalPayloads?: readonly number[];
}

export interface EncodeVector {
  readonly name: string;
  readonly namespace: string;
  readonly workflowId?: string;
  readonly payload: PayloadVector;
  /** The payload's size as a protobuf message. */
  readonly payloadBytes: number;
  readonly storedByDefault: boolean;
  readonly metadataHash: string;
  readonly digest: string;
  readonly put: {
    readonly target: string;
    readonly metadataHeader: Expected;
    readonly workflowIdHeader?: string;
  };
  /** As a store without a TTL gives it. */
  readonly key: string;
  readonly getTarget: string;
  readonly reference: {
    readonly metadata: readonly (readonly [string, string])[];
    readonly data: Expected;
    readonly externalPayloads: readonly number[];
    readonly message: Expected;
  };
}

export interface AnswerVector {
  readonly name: string;
  /** All bytes that the server sends before it closes the connection. */
  readonly answer: string;
  readonly delayMs?: number;
  /** Whether the client is configured to accept the plain text errors of DataDog's service. */
  readonly acceptPlainTextErrors?: boolean;
  readonly error: 'integrity' | 'not_found' | 'unavailable' | 'rejected' | null;
  readonly retryable?: boolean;
  readonly retryAfterSeconds?: number;
}

export interface DecodeVectors {
  readonly accepted: readonly {
    readonly name: string;
    readonly payload: PayloadVector;
    readonly reference: {
      readonly version: 'v1' | 'v2';
      readonly metadata: readonly (readonly [string, string])[];
      readonly size: number;
      readonly digest: string;
      readonly key?: string;
    };
    readonly externalPayloadsLeft: readonly number[];
  }[];
  readonly refused: readonly { readonly name: string; readonly payload: PayloadVector }[];
  /** The payload that the request stores or reads. */
  readonly request: {
    readonly metadata: readonly (readonly [string, string])[];
    readonly data: string;
    readonly key: string;
  };
  readonly getAnswers: readonly AnswerVector[];
  readonly putAnswers: readonly AnswerVector[];
}

export interface KeyVectors {
  readonly windows: readonly {
    readonly time: string;
    readonly ttl: string;
    readonly clockDifferenceSeconds: number;
    readonly widthSeconds: number;
    readonly putTimeLimitMs: number;
    readonly root: string;
  }[];
  readonly owners: readonly {
    readonly name: string;
    readonly namespace: string;
    readonly workflowId: string;
    readonly header: string;
    readonly keyPrefix: string | null;
  }[];
  readonly refusedOwners: readonly {
    readonly name: string;
    readonly header: string | { readonly repeat: string; readonly times: number };
  }[];
  readonly keys: readonly {
    readonly key: string;
    readonly escaped: string;
    readonly escapedTwice: string;
    /** null: never expires */
    readonly putTimeLimitMs: number | null;
  }[];
  readonly refusedKeys: readonly { readonly name: string; readonly key: string }[];
}

export const encodeVectors = encodeFile.vectors as unknown as readonly EncodeVector[];
export const decodeVectors = decodeFile as unknown as DecodeVectors;
export const keyVectors = keyFile as unknown as KeyVectors;

export function bytesOf(content: Content): Uint8Array<ArrayBuffer> {
  if (typeof content === 'string') return new Uint8Array(Buffer.from(content, 'base64'));
  return new Uint8Array(content.generated).map((_, index) => index % 251);
}

export function metadataOf(pairs: PayloadVector['metadata']): Map<string, Uint8Array> {
  return new Map(pairs.map(([key, content]) => [key, bytesOf(content)]));
}

/** `actual` in the form of `expected`, so that both can be compared. */
export function inFormOf(expected: Expected, actual: Uint8Array | string): Expected {
  const bytes = Buffer.from(actual);
  if (typeof expected === 'string') return typeof actual === 'string' ? actual : bytes.toString('base64');
  return { bytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') };
}
