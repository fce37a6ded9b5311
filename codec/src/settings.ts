import { parseServiceUrl } from './service-url.ts';

/** DataDog's default. Temporal warns at 512 KiB and refuses payloads over 2 MiB. */
const defaultThresholdBytes = 128_000;

/** The service's grammar: a namespace is a segment of every key. */
const namespacePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;

export interface LargePayloadCodecOptions {
  /** Base URL of the blob service; by default `LARGE_PAYLOAD_SERVICE_URL`, which injected pods have. */
  readonly url?: string | undefined;
  /** Temporal namespace of the worker or client; by default `TEMPORAL_NAMESPACE`. */
  readonly namespace?: string | undefined;
  /**
   * Payloads larger than this many bytes, measured as protobuf messages, are stored remotely; by default
   * `LARGE_PAYLOAD_THRESHOLD_BYTES`, or else 128,000.
   */
  readonly thresholdBytes?: number | undefined;
}

export interface CodecSettings {
  readonly url: string;
  readonly namespace: string;
  readonly thresholdBytes: number;
}

/** Environment variables; an empty one counts as unset. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Options completed from the environment.
 * @throws TypeError that says which setting is missing or wrong, where it came from, and how to provide it.
 */
export function resolveSettings(options: LargePayloadCodecOptions, environment: Environment): CodecSettings {
  return {
    url: resolveUrl(options.url, environment),
    namespace: resolveNamespace(options.namespace, environment),
    thresholdBytes: resolveThreshold(options.thresholdBytes, environment),
  };
}

function resolveUrl(option: string | undefined, environment: Environment): string {
  const url = option ?? (environment.LARGE_PAYLOAD_SERVICE_URL || undefined);
  if (url === undefined) {
    throw new TypeError(
      'no blob service: LARGE_PAYLOAD_SERVICE_URL is not set. A pod gets it, and the sidecar it points to, when its ' +
        'namespace or the pod itself bears the label largepayload.dev/inject: STORE. Elsewhere pass `url`.',
    );
  }
  try {
    parseServiceUrl(url);
  } catch (cause) {
    throw new TypeError(
      `${sourceOf(option, 'url', 'LARGE_PAYLOAD_SERVICE_URL')}: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
  return url;
}

function resolveNamespace(option: string | undefined, environment: Environment): string {
  const namespace = option ?? (environment.TEMPORAL_NAMESPACE || undefined);
  if (namespace === undefined) {
    throw new TypeError(
      'no Temporal namespace: pass `namespace` or set TEMPORAL_NAMESPACE to the one this worker or client uses',
    );
  }
  if (namespacePattern.test(namespace)) return namespace;
  throw new TypeError(
    `${sourceOf(option, 'namespace', 'TEMPORAL_NAMESPACE')}: must be 1 to 255 of A-Z a-z 0-9 . _ -, starting with a letter or digit`,
  );
}

function resolveThreshold(option: number | undefined, environment: Environment): number {
  const variable = environment.LARGE_PAYLOAD_THRESHOLD_BYTES || undefined;
  const threshold = option ?? (variable === undefined ? defaultThresholdBytes : wholeNumber(variable));
  if (Number.isSafeInteger(threshold) && threshold >= 0) return threshold;
  throw new TypeError(
    `${sourceOf(option, 'thresholdBytes', 'LARGE_PAYLOAD_THRESHOLD_BYTES')}: must be a whole number of bytes, 0 or more`,
  );
}

function wholeNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

function sourceOf(option: unknown, optionName: string, variable: string): string {
  return option === undefined ? variable : `option ${optionName}`;
}
