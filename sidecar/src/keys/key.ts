import { ServiceError } from '../errors/service-error.ts';
import { type ExpiryWindow, parseWindowName, windowName } from './window.ts';

/**
 * What a key says. Written as DataDog's Large Payload Service writes it, so that its codec and its buckets work
 * unchanged: `/blobs/NAMESPACE/common/DIGEST/METADATAHASH` or `…/custom/KEYPREFIX/…`; with a TTL the first segment is
 * the window instead of `blobs`.
 */
export interface BlobKey {
  readonly window: ExpiryWindow | undefined;
  readonly namespace: string;
  readonly keyPrefix: string | undefined;
  /** `sha256:` + 64 hex digits of the data */
  readonly digest: string;
  /** `sha256:` + 64 hex digits of the metadata */
  readonly metadataHash: string;
}

export const NAMESPACE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;
/** Each segment is a folder on a volume, made by a PUT and removed by the reaper. */
const MOST_PREFIX_SEGMENTS = 16;
const KEY_PREFIX_SEGMENT = /^[0-9a-zA-Z_-]{1,255}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** S3, Google Cloud Storage and Azure take object names of up to 1,024 bytes. */
const MAX_KEY_BYTES = 1_024;

const SOME_DIGEST = `sha256:${'0'.repeat(64)}`;
const LONGEST_KEY_WITHOUT = `/expires-20261224T000000Z-999999999s//custom//${SOME_DIGEST}/${SOME_DIGEST}`;

const OWNER_SEGMENT_LENGTH = 200;
const WORKFLOW_ID = /^[A-Za-z0-9_-]{1,20000}$/;

/** @throws ServiceError `invalid_namespace` */
export function parseNamespace(text: string | undefined): string {
  if (text !== undefined && NAMESPACE.test(text)) return text;
  throw new ServiceError(
    'invalid_namespace',
    'namespace must be a Temporal namespace: a letter or digit, then at most 254 of letters, digits, ".", "_" and "-"',
  );
}

/** @throws ServiceError `invalid_digest` */
export function parseDigest(text: string | undefined): string {
  if (text !== undefined && DIGEST.test(text)) return text;
  throw new ServiceError('invalid_digest', 'digest must be "sha256:" and 64 lower-case hex digits');
}

/** A prefix for a new payload. One that is stored may have more segments. @throws ServiceError `invalid_key_prefix` */
export function parseKeyPrefix(text: string): string {
  const fewSegments = text.split('/', MOST_PREFIX_SEGMENTS + 1).length <= MOST_PREFIX_SEGMENTS;
  if (fewSegments && isKeyPrefix(text)) return text;
  throw new ServiceError(
    'invalid_key_prefix',
    `metadata "remote-codec/key-prefix" must be at most ${MOST_PREFIX_SEGMENTS} segments of at most 255 letters, digits, "_" and "-", joined by single slashes`,
  );
}

/** A workflow's id in base64url. @throws ServiceError `invalid_workflow_id` */
export function parseWorkflowId(text: string): string {
  if (WORKFLOW_ID.test(text)) return text;
  throw new ServiceError(
    'invalid_workflow_id',
    'X-Payload-Store-Workflow-Id must be a workflow id in base64url',
  );
}

/** The key prefix of payloads owned by a workflow, from its id in base64url. @throws ServiceError `invalid_workflow_id` */
export function ownerKeyPrefix(workflowId: string): string {
  const segments = parseWorkflowId(workflowId).match(new RegExp(`.{1,${OWNER_SEGMENT_LENGTH}}`, 'g')) ?? [];
  return ['wf', ...segments].join('/');
}

/** The key as clients keep it in their references. */
export function formatKey(key: BlobKey): string {
  const root = key.window === undefined ? 'blobs' : windowName(key.window);
  const place = key.keyPrefix === undefined ? 'common' : `custom/${key.keyPrefix}`;
  return `/${root}/${key.namespace}/${place}/${key.digest}/${key.metadataHash}`;
}

/**
 * Whether the keys under this prefix fit an object's name in every window.
 * @param longestName bytes that the storage takes
 */
export function keyPrefixFits(namespace: string, keyPrefix: string, longestName: number): boolean {
  const longest = LONGEST_KEY_WITHOUT.length + namespace.length + keyPrefix.length;
  return longest <= Math.min(longestName, MAX_KEY_BYTES);
}

/** A key that came from outside. @throws ServiceError `invalid_key` */
export function parseKey(text: string): BlobKey {
  const key = readKey(text);
  if (key === undefined) throw new ServiceError('invalid_key', 'key is not one that this service hands out');
  return key;
}

/**
 * By the one grammar that also writes keys: what parses names an object that this service may have written, and can name
 * nothing else on any storage. `undefined`: it is no key
 */
export function readKey(text: string): BlobKey | undefined {
  const tooLong = text.length > MAX_KEY_BYTES;
  const [empty, root = '', namespace = '', place, ...rest] = tooLong ? [] : text.split('/');
  const metadataHash = rest.pop() ?? '';
  const digest = rest.pop() ?? '';
  const window = parseWindowName(root);
  const keyPrefix = place === 'custom' ? rest.join('/') : undefined;
  const key: BlobKey = { window, namespace, keyPrefix, digest, metadataHash };
  const valid =
    empty === '' &&
    (window !== undefined || root === 'blobs') &&
    NAMESPACE.test(namespace) &&
    (place === 'common' ? rest.length === 0 : place === 'custom' && isKeyPrefix(keyPrefix ?? '')) &&
    DIGEST.test(digest) &&
    DIGEST.test(metadataHash);
  return valid ? key : undefined;
}

function isKeyPrefix(text: string): boolean {
  return text.split('/').every((segment) => KEY_PREFIX_SEGMENT.test(segment));
}
