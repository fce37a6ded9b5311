import type { Situation } from './component-view.ts';
import type { Finding } from './finding.ts';
import { quote } from './quote.ts';

/** Why the certificate of gateways that serve cannot be renewed. */
export function certificateNotMade({ certificateProblem }: Situation): Finding | undefined {
  if (certificateProblem === undefined) return undefined;
  return {
    reason: 'CertificateNotMade',
    message: `no certificate can be made for the gateways, and the one that they have ends some time: ${quote(certificateProblem)}`,
  };
}
