import { Object as MapOf, Optional, String as Text } from 'typebox';
import { DURATION_IN_WORDS, DurationError, parseDuration } from '../duration.ts';
import { at } from '../json-fields.ts';
import { secretKeyReference, secretReference } from './fields.ts';
import { has, type Rule } from './node.ts';

/** The `ttl` of a store that never removes payloads. */
export const FOREVER = 'Forever';

const SHORTEST_TTL = parseDuration('8s');
const LONGEST_TTL = parseDuration('3650d');

/**
 * CEL for "the duration in this field, if it is one, is at most 3650d". Every unit has its own bound, so that 999999999h is
 * refused like 9999d. The pattern and maxLength leave at most nine digits, which int() reads; CEL's duration() would
 * overflow on such hours instead of answering.
 */
function atMostLongest(field: string): string {
  const most = { s: 315_360_000, m: 5_256_000, h: 87_600, d: 3_650 };
  const inBounds = Object.entries(most).map(
    ([unit, bound]) => `(!${field}.endsWith('${unit}') || int(${field}.replace('${unit}', '')) <= ${bound})`,
  );
  return `(!${field}.matches('^[1-9][0-9]*[smhd]$') || ${inBounds.join(' && ')})`;
}

const ttlInBounds: Rule = {
  cel: `self.ttl == 'Forever' || (!self.ttl.matches('^[1-7]s$') && ${atMostLongest('self.ttl')})`,
  message: 'ttl must be Forever or 8s to 3650d',
  field: 'ttl',
  holds: (retention) => isAllowed(at(retention, 'ttl'), SHORTEST_TTL),
};

const reaperIntervalInBounds: Rule = {
  cel: atMostLongest('self.reaperInterval'),
  message: 'reaperInterval must be at most 3650d',
  field: 'reaperInterval',
  holds: (retention) => isAllowed(at(retention, 'reaperInterval'), 0),
};

/** Whether a duration is from `shortest` (ms) to 3650d. The pattern of the field reports a value that is no duration. */
function isAllowed(value: unknown, shortest: number): boolean {
  if (typeof value !== 'string' || !/^[1-9][0-9]*[smhd]$/.test(value)) return true;
  try {
    const milliseconds = parseDuration(value);
    return milliseconds >= shortest && milliseconds <= LONGEST_TTL;
  } catch (error) {
    // It has too many digits to be counted.
    if (error instanceof DurationError) return false;
    throw error;
  }
}

const oneTemporalCredential: Rule = {
  cel: '!(has(self.apiKeySecretRef) && has(self.mutualTLSSecretRef))',
  message: 'at most one of apiKeySecretRef, mutualTLSSecretRef',
  holds: (temporal) => !(has(temporal, 'apiKeySecretRef') && has(temporal, 'mutualTLSSecretRef')),
};

const Temporal = MapOf(
  {
    address: Text({
      description: 'Host and port of the Temporal frontend, such as temporal-frontend.temporal:7233.',
      maxLength: 256,
      pattern: '^[a-zA-Z0-9.-]+:[0-9]+$',
      expected: 'a host and a port such as temporal-frontend.temporal:7233',
    }),
    apiKeySecretRef: Optional(secretKeyReference('An API key for Temporal, as Temporal Cloud issues them.')),
    mutualTLSSecretRef: Optional(
      secretReference('A client certificate for Temporal: a Secret of type kubernetes.io/tls.'),
    ),
  },
  {
    description:
      'Asks Temporal before payloads are removed, and keeps what a workflow may still need. Without it, ' +
      'payloads go when their TTL is over.',
    rules: [oneTemporalCredential],
  },
);

export const RetentionSchema = MapOf(
  {
    ttl: Text({
      description:
        'How long a payload is kept at least, counted from its last put: one number and one unit from 8s to ' +
        '3650d, or Forever. A change affects new puts only.',
      maxLength: 10,
      pattern: '^(Forever|[1-9][0-9]*(s|m|h|d))$',
      expected: `${DURATION_IN_WORDS}, or ${FOREVER}`,
    }),
    reaperInterval: Text({
      description: 'Time between two passes of the reaper, such as 30m.',
      default: '1h',
      maxLength: 10,
      pattern: '^[1-9][0-9]*(s|m|h|d)$',
      expected: DURATION_IN_WORDS,
    }),
    temporal: Optional(Temporal),
  },
  {
    description: 'How long payloads are kept, and what may hold them longer.',
    rules: [ttlInBounds, reaperIntervalInBounds],
  },
);
