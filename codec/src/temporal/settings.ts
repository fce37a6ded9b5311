import { totalmem } from 'node:os';
import { parseServiceUrl } from '../transport/service-url.ts';

/** DataDog's default. Temporal warns at 512 KiB and refuses payloads over 2 MiB. */
const defaultThresholdBytes = 128_000;

/** The service's grammar: a namespace is a segment of every key. */
const namespacePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;

const defaultMaxConcurrentRequests = 16;
/** A workflow task has 10 s by default: one that fails before tells the server why, one that times out does not. */
const defaultIdleTimeoutMs = 7_000;
const defaultRetryTimeoutMs = 8_000;

/** An activity whose result cannot be stored is run again from its start, which may cost more than waiting. */
const defaultActivityRetryTimeoutMs = 300_000;

const largestDefaultMaxDecodedBytes = 1024 ** 3;

export interface LargePayloadCodecOptions {
  /** Base URL of the blob service; by default `LARGE_PAYLOAD_SERVICE_URL`, which injected pods have. */
  readonly url?: string | undefined;
  /**
   * File with the token to show to a gateway, by https only; by default `LARGE_PAYLOAD_SERVICE_TOKEN_FILE`, or else no
   * token. The file is read again when it changes.
   */
  readonly tokenFile?: string | undefined;
  /**
   * File with the certificates (PEM) of the authorities to trust in place of Node's own; by default
   * `LARGE_PAYLOAD_SERVICE_CA_FILE`, or else Node's. The file is read again when it changes.
   */
  readonly caFile?: string | undefined;
  /**
   * Temporal namespace under which payloads are stored; by default the one that Temporal's serialization context names,
   * or else `TEMPORAL_NAMESPACE`. Reading needs none.
   */
  readonly namespace?: string | undefined;
  /**
   * Payloads larger than this many bytes, measured as protobuf messages, are stored remotely; by default
   * `LARGE_PAYLOAD_THRESHOLD_BYTES`, or else 128,000.
   */
  readonly thresholdBytes?: number | undefined;
  /**
   * Whether keys name the owning workflow where it is known, true by default: its payloads can then be found and erased
   * by workflow id. With false, equal payloads of different workflows are stored once.
   */
  readonly ownerPrefix?: boolean | undefined;
  /** Whether to store nothing and only replace references by payloads; false by default. */
  readonly decodeOnly?: boolean | undefined;
  /** How many requests the codec makes at a time; 16 by default. */
  readonly maxConcurrentRequests?: number | undefined;
  /**
   * Milliseconds without a byte in either direction, connecting included, after which a request fails; 7,000 by default. A
   * large payload that is being stored gets a second more for every 16 MiB.
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * Milliseconds after which a request that failed is not tried again; by default 8,000, and 300,000 for what is stored
   * within an activity, its result above all. Temporal then retries the task or the activity.
   */
  readonly retryTimeoutMs?: number | undefined;
  /**
   * The most bytes of payloads that are decoded together, for one activation of a workflow above all; by default
   * `LARGE_PAYLOAD_MAX_DECODED_BYTES`, or else 1 GiB or a third of the process's memory, whichever is less. Equal references
   * count each. A payload alone may have any size.
   */
  readonly maxDecodedBytes?: number | undefined;
  /**
   * Whether a 404 with the plain text "blob not found" of DataDog's service means that a payload is missing; false by
   * default. Without error codes such an answer cannot be told from one of a proxy for sure.
   */
  readonly acceptPlainTextErrors?: boolean | undefined;
}

type Complete<Options> = { readonly [Name in keyof Options]-?: NonNullable<Options[Name]> };

type Optional = 'namespace' | 'tokenFile' | 'caFile';

export interface CodecSettings extends Complete<Omit<LargePayloadCodecOptions, Optional>> {
  readonly tokenFile: string | undefined;
  readonly caFile: string | undefined;
  /** The option's namespace; it wins over any other. */
  readonly namespace: string | undefined;
  /** What is left when neither the option nor the context names one. */
  readonly environmentNamespace: string | undefined;
  readonly activityRetryTimeoutMs: number;
}

/**
 * The part of Temporal's serialization context that tells who owns a payload. SDKs before it existed pass none; a
 * payload of a schedule or a client call may have no workflow.
 */
export interface PayloadContext {
  readonly namespace?: string | undefined;
  readonly workflowId?: string | undefined;
}

/** Environment variables; an empty one counts as unset. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Options completed from the environment.
 * @throws TypeError that says which setting is missing or wrong, where it came from, and how to provide it.
 */
export function resolveSettings(options: LargePayloadCodecOptions, environment: Environment): CodecSettings {
  const { retryTimeoutMs } = options;
  return {
    url: resolveUrl(options.url, environment),
    tokenFile: options.tokenFile ?? (environment.LARGE_PAYLOAD_SERVICE_TOKEN_FILE || undefined),
    caFile: options.caFile ?? (environment.LARGE_PAYLOAD_SERVICE_CA_FILE || undefined),
    namespace: checkedNamespace(options.namespace, 'option namespace'),
    environmentNamespace: environment.TEMPORAL_NAMESPACE || undefined,
    thresholdBytes: resolveBytes('thresholdBytes', options, environment) ?? defaultThresholdBytes,
    ownerPrefix: checkedBoolean(options.ownerPrefix ?? true, 'ownerPrefix'),
    decodeOnly: checkedBoolean(options.decodeOnly ?? false, 'decodeOnly'),
    maxConcurrentRequests: checkedNumber(options, 'maxConcurrentRequests', 1) ?? defaultMaxConcurrentRequests,
    idleTimeoutMs: checkedNumber(options, 'idleTimeoutMs', 1) ?? defaultIdleTimeoutMs,
    retryTimeoutMs: checkedNumber(options, 'retryTimeoutMs', 0) ?? defaultRetryTimeoutMs,
    activityRetryTimeoutMs: retryTimeoutMs ?? defaultActivityRetryTimeoutMs,
    maxDecodedBytes: resolveBytes('maxDecodedBytes', options, environment) ?? defaultMaxDecodedBytes(),
    acceptPlainTextErrors: checkedBoolean(options.acceptPlainTextErrors ?? false, 'acceptPlainTextErrors'),
  };
}

/**
 * The namespace to store a payload under.
 * @throws TypeError when there is none, or the context's is not one that a key can carry
 */
export function namespaceFor(settings: CodecSettings, context: PayloadContext): string {
  const namespace =
    settings.namespace ??
    checkedNamespace(context.namespace || undefined, 'serialization context') ??
    checkedNamespace(settings.environmentNamespace, 'TEMPORAL_NAMESPACE');
  if (namespace !== undefined) return namespace;
  throw new TypeError(
    'no Temporal namespace: pass `namespace` or set TEMPORAL_NAMESPACE to the one this worker or client uses',
  );
}

function resolveUrl(option: string | undefined, environment: Environment): string {
  const url = option ?? (environment.LARGE_PAYLOAD_SERVICE_URL || undefined);
  if (url === undefined) {
    throw new TypeError(
      'no blob service: set LARGE_PAYLOAD_SERVICE_URL, or pass `url`. A new pod gets it, and a sidecar, when its ' +
        'namespace or the pod itself has the label largepayload.dev/inject: STORE. With a sidecar, and on a laptop, ' +
        'it is http://127.0.0.1:8577; without a sidecar it is the https:// URL of a gateway.',
    );
  }
  try {
    parseServiceUrl(url);
  } catch (cause) {
    const source = sourceOf(option, 'url', 'LARGE_PAYLOAD_SERVICE_URL');
    throw new TypeError(`${source}: ${(cause as Error).message}`, { cause });
  }
  return url;
}

function checkedNamespace(namespace: string | undefined, source: string): string | undefined {
  if (namespace === undefined || namespacePattern.test(namespace)) return namespace;
  throw new TypeError(
    `${source}: a namespace must be 1 to 255 of A-Z a-z 0-9 . _ -, starting with a letter or digit`,
  );
}

function checkedBoolean(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new TypeError(`option ${name}: must be true or false`);
}

/** setTimeout counts in 32 bits, and fires at once beyond. */
const largestNumber = 2 ** 31 - 1;

function checkedNumber(
  options: LargePayloadCodecOptions,
  name: 'maxConcurrentRequests' | 'idleTimeoutMs' | 'retryTimeoutMs',
  least: number,
): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value) && value >= least && value <= largestNumber) return value;
  throw new TypeError(`option ${name}: must be a whole number from ${least} to ${largestNumber}`);
}

const bytesVariables = {
  thresholdBytes: 'LARGE_PAYLOAD_THRESHOLD_BYTES',
  maxDecodedBytes: 'LARGE_PAYLOAD_MAX_DECODED_BYTES',
} as const;

function resolveBytes(
  name: keyof typeof bytesVariables,
  options: LargePayloadCodecOptions,
  environment: Environment,
): number | undefined {
  const variable = bytesVariables[name];
  const text = environment[variable] || undefined;
  const option = options[name];
  const bytes = option ?? (text === undefined ? undefined : wholeNumber(text));
  if (bytes === undefined || (Number.isSafeInteger(bytes) && bytes >= 0)) return bytes;
  throw new TypeError(`${sourceOf(option, name, variable)}: must be a whole number of bytes, 0 or more`);
}

/** A third of the memory, since decoded payloads exist three times: here, as a copy in the workflow's thread, and parsed there. */
function defaultMaxDecodedBytes(): number {
  const constrained = process.constrainedMemory();
  // Without a limit it is 0, or larger than any memory.
  const memory = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.min(largestDefaultMaxDecodedBytes, Math.floor(memory / 3));
}

function wholeNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

function sourceOf(option: unknown, optionName: string, variable: string): string {
  return option === undefined ? variable : `option ${optionName}`;
}
