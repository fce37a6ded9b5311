import type { Finding, Reason } from './finding.ts';

/** A condition's status and why. */
export interface Verdict extends Finding {
  readonly status: 'True' | 'False' | 'Unknown';
}

export function yes(reason: Reason, message: string): Verdict {
  return { status: 'True', reason, message };
}

export function no({ reason, message }: Finding): Verdict {
  return { status: 'False', reason, message };
}

export function unknown({ reason, message }: Finding): Verdict {
  return { status: 'Unknown', reason, message };
}
