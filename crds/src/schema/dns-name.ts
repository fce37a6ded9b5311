import { String as Text } from 'typebox';
import type { Rule } from './node.ts';

const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
/** It begins with a letter, so that no IP address is a name. */
const LAST_LABEL = '[a-z]([-a-z0-9]{0,61}[a-z0-9])?';

/** Names of the cluster's own DNS, in clusters with any domain: `NAME.NAMESPACE.svc`, with or without a domain behind it. */
const OF_A_CLUSTER = '(^|[.])svc([.]|$)|[.]cluster[.]local$';

const isOfCluster = (name: string) => new RegExp(OF_A_CLUSTER).test(name);

/**
 * Who may make a store would get a certificate for a Service of another namespace, or for the Kubernetes API. Clients find a Service
 * by `NAME` and `NAME.NAMESPACE` too, so a name needs three labels.
 */
const notOfTheCluster: Rule = {
  cel: `!self.matches('${OF_A_CLUSTER}')`,
  message:
    'a name within the cluster cannot be added: the certificate has those of its own namespace already',
  holds: (name) => typeof name !== 'string' || !isOfCluster(name),
};

const LONGEST = 253;
const CERTIFICATE_NAME = `^([*]|${LABEL})([.]${LABEL})+[.]${LAST_LABEL}$`;

/** A name in a gateway's certificate; the first label may be a wildcard. */
export const certificateName = () =>
  Text({
    maxLength: LONGEST,
    pattern: CERTIFICATE_NAME,
    expected:
      'a DNS name in lower case with three labels or more, such as payloads.example.com or *.example.com',
    rules: [notOfTheCluster],
  });

/** Whether a store may ask for the name in a certificate. */
export function isCertificateName(name: string): boolean {
  return name.length <= LONGEST && new RegExp(CERTIFICATE_NAME).test(name) && !isOfCluster(name);
}
