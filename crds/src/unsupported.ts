import type { Problem } from './manifest-error.ts';
import type { LargePayloadStore } from './schema/store.ts';
import { STORAGE_KINDS, storageKindOf } from './storage-kinds.ts';

/** A field that a valid spec sets, and that this version of the service has no code for. */
export interface UnsupportedField extends Problem {
  readonly feature: 'storage' | 'retention';
}

/** Pods refuse a manifest with such a field, rather than run without it. */
export function unsupportedFields({ storage, retention }: LargePayloadStore['spec']): UnsupportedField[] {
  const fields: UnsupportedField[] = [];
  const kind = storageKindOf({ storage });
  if (!kind.isSupported) {
    const places = Object.values(STORAGE_KINDS).flatMap(({ isSupported, where }) =>
      isSupported ? [where] : [],
    );
    const message = `this version stores ${places.join(' or ')} only`;
    fields.push({ feature: 'storage', path: `spec.storage.${kind.name}`, message });
  }
  if (retention.temporal !== undefined) {
    const message = 'this version cannot ask Temporal whether a payload is in use';
    fields.push({ feature: 'retention', path: 'spec.retention.temporal', message });
  }
  return fields;
}
