import { textAt } from '@largepayload/crds';
import type { KubernetesApi, KubernetesObject } from '../../kubernetes/api.ts';
import { kindOf, SECRETS } from '../../kubernetes/resources.ts';
import { MANAGED_BY } from '../../stores/labels.ts';

const MANAGER = 'app.kubernetes.io/managed-by';
export const OWN_LABELS = { [MANAGER]: MANAGED_BY, 'app.kubernetes.io/part-of': 'large-payload' };

/** Content in plain text; `null` removes a field. */
type Fields = Readonly<Record<string, string | null>>;

export interface SecretContent {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly data: Fields;
  readonly annotations?: Fields;
}

/** Whether the operator made it. What others made is neither changed nor deleted. */
export function isOwn(object: KubernetesObject): boolean {
  return textAt(object.metadata, 'labels', MANAGER) === MANAGED_BY;
}

/**
 * Creates the Secret, or changes it if nobody has changed it since it was read: of two operators that write at the same time, one
 * fails and reads again.
 * @param before as it was read; `undefined`: there was none
 * @throws ApiError 409 when it has changed, or exists by now
 */
export async function writeSecret(
  api: KubernetesApi,
  before: KubernetesObject | undefined,
  { namespace, name, type, data, annotations = {} }: SecretContent,
  signal: AbortSignal,
): Promise<KubernetesObject> {
  const encoded = Object.entries(data).map(([key, text]) => [
    key,
    text && Buffer.from(text).toString('base64'),
  ]);
  const kind = kindOf(SECRETS);
  if (before === undefined) {
    const metadata = { namespace, name, labels: OWN_LABELS, annotations: withoutNull(annotations) };
    const content = withoutNull(Object.fromEntries(encoded));
    return await api.create(SECRETS, { ...kind, metadata, type, data: content }, signal);
  }
  const { resourceVersion = '' } = before.metadata;
  const metadata = { namespace, name, resourceVersion, annotations };
  const part = { ...kind, metadata, data: Object.fromEntries(encoded) };
  return await api.patch(SECRETS, part as unknown as KubernetesObject, signal);
}

function withoutNull(fields: Fields): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, text]) => (text === null ? [] : [[key, text]])),
  );
}
