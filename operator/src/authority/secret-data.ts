import { textAt } from '@largepayload/crds';
import type { KubernetesObject } from '../kubernetes/api.ts';

/** A field of a Secret as plain text; `undefined`: there is none, or it is empty. */
export function fieldOf(secret: KubernetesObject, key: string): string | undefined {
  const encoded = textAt(secret.data, key);
  return encoded ? Buffer.from(encoded, 'base64').toString('utf8') : undefined;
}
