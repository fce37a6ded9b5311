import type { Reason } from '@largepayload/crds';

export interface ErrorDetails extends ErrorOptions {
  /** for programs, where the kind of error does not say enough */
  readonly reason?: Reason | undefined;
}
