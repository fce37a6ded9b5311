import { at, textAt } from '@largepayload/crds';
import type { PatchOperation, RawPod } from '../injection/raw-pod.ts';
import { Refusal } from './refusal.ts';

const API_VERSION = 'admission.k8s.io/v1';
const KIND = 'AdmissionReview';
/** characters; the API server sends 36 */
const LONGEST_UID = 200;
/** characters, as the API conventions ask of a warning */
const LONGEST_WARNING = 120;
/** A client may show each of them. */
const MOST_WARNINGS = 10;

/** The `request` of an AdmissionReview. */
export interface AdmissionRequest {
  readonly uid: string;
  /** `undefined`: it asks about something other than the creation of a pod */
  readonly pod: { readonly namespace: string; readonly object: RawPod } | undefined;
}

export interface AdmissionAnswer {
  readonly patch: readonly PatchOperation[];
  /** for people, of any length */
  readonly warnings: readonly string[];
}

/** @throws Refusal 400 */
export function readReview(review: unknown): AdmissionRequest {
  const [apiVersion, kind] = [textAt(review, 'apiVersion'), textAt(review, 'kind')];
  if (apiVersion !== API_VERSION || kind !== KIND)
    throw new Refusal(400, `the body is no ${KIND} of ${API_VERSION}: set admissionReviewVersions: [v1]`);
  const request = at(review, 'request');
  const uid = textAt(request, 'uid');
  if (uid === undefined || uid.length > LONGEST_UID)
    throw new Refusal(400, `request.uid is to be a text of at most ${LONGEST_UID} characters`);
  return { uid, pod: isAboutNewPod(request) ? readPod(request) : undefined };
}

function isAboutNewPod(request: unknown): boolean {
  return (
    textAt(request, 'operation') === 'CREATE' &&
    textAt(request, 'resource', 'resource') === 'pods' &&
    textAt(request, 'resource', 'version') === 'v1' &&
    (at(request, 'resource', 'group') ?? '') === '' &&
    textAt(request, 'subResource') === undefined
  );
}

function readPod(request: unknown): AdmissionRequest['pod'] {
  const namespace = textAt(request, 'namespace');
  const object = at(request, 'object');
  const isObject = typeof object === 'object' && object !== null && !Array.isArray(object);
  if (namespace !== undefined && isObject) return { namespace, object };
  throw new Refusal(400, 'request.namespace is to be a text, and request.object a pod');
}

/** The pod is always allowed: whether it may be made without a sidecar is not decided here. */
export function answerReview(uid: string, { patch, warnings }: AdmissionAnswer): object {
  const lines = warnings.flatMap(wrapped).slice(0, MOST_WARNINGS);
  return {
    ...{ apiVersion: API_VERSION, kind: KIND },
    response: {
      ...{ uid, allowed: true },
      ...(patch.length > 0 && {
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
      }),
      ...(lines.length > 0 && { warnings: lines }),
    },
  };
}

/** A sentence as several warnings, none of which is too long. */
function wrapped(sentence: string): string[] {
  return (
    sentence.match(new RegExp(`\\S.{0,${LONGEST_WARNING - 1}}(?=\\s|$)|\\S{${LONGEST_WARNING}}`, 'gs')) ?? []
  );
}
