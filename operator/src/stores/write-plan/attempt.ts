import type { ObservedObject, Refusal } from '../observed.ts';
import { isOurs } from '../ownership.ts';
import type { StoreResource } from '../read-store.ts';

/** What was done about one object in this round. */
export interface Attempt {
  /** absent: no look was taken since the latest apply without force */
  readonly look?: { readonly found: ObservedObject | undefined };
  readonly refused?: { readonly status: number; readonly byForce: boolean; readonly refusal: Refusal };
  /** whether replacing the ports was tried */
  readonly portsReplaced?: boolean;
  readonly isDone?: boolean;
  /** The API server did not answer. */
  readonly failed?: Refusal;
}

/** Whether the write was refused, or an object of others has the name. */
export function isRefused({ refused, look }: Attempt, store: StoreResource): boolean {
  return refused !== undefined || (look?.found !== undefined && !isOurs(look.found, store));
}

/** Whether a refused attempt was about an object of another namespace than the store's. */
export function isElsewhere({ refused, look }: Attempt, { namespace }: StoreResource): boolean {
  return (refused?.refusal ?? look?.found)?.namespace !== namespace;
}
