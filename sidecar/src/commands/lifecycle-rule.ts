import { type LargePayloadStore, parseDuration } from '@largepayload/crds';
import { type Command, stringOption, usage, type Values } from '../cli/command.ts';
import { UsageError } from '../cli/exit-codes.ts';
import { readManifest } from '../cli/manifest-file.ts';
import { lifecycleConfiguration } from '../retention/lifecycle-rule.ts';

/** The largest difference between clocks that any role allows, as the rule may be for a store in a cluster. */
const CLOCK_TOLERANCE_MS = 60_000;

export const command: Command = {
  name: 'lifecycle-rule',
  summary: 'Prints a lifecycle configuration for the bucket: a backstop should the reaper not run for days.',
  options: {
    config: {
      placeholder: 'FILE',
      help: 'the LargePayloadStore manifest of the store',
      required: true,
    },
    'longest-ttl': {
      placeholder: 'DURATION',
      help: 'the longest TTL that the store ever had, when that was longer than today: payloads keep the TTL they were stored under',
    },
  },
  notes: `The reaper deletes to the second; S3 counts in days, so the rule removes only what has been due for a day or more, and
what versioning keeps of deleted payloads. It is put on the bucket by hand, in place of any lifecycle configuration there:
  payload-store lifecycle-rule --config store.yaml > rule.json
  aws s3api put-bucket-lifecycle-configuration --bucket BUCKET --lifecycle-configuration file://rule.json`,
  run,
};

async function run(values: Values): Promise<void> {
  const { spec } = await readManifest(stringOption(command, values, 'config'));
  const facts = { prefix: prefixOf(spec), longestTtl: longestTtl(spec, values['longest-ttl']) };
  const rule = lifecycleConfiguration({ ...facts, clockToleranceMs: CLOCK_TOLERANCE_MS });
  process.stdout.write(`${JSON.stringify(rule, null, 2)}\n`);
}

function prefixOf({ storage, retention }: LargePayloadStore['spec']): string {
  if (storage.s3 === undefined) {
    throw new UsageError('lifecycle rules are of S3 buckets; this store is not in one (spec.storage.s3)');
  }
  if (retention.temporal !== undefined) {
    throw new UsageError(
      'spec.retention.temporal holds payloads beyond their TTL, which a lifecycle rule knows nothing of: it would delete what is held',
    );
  }
  return storage.s3.prefix;
}

function longestTtl({ retention }: LargePayloadStore['spec'], given: Values[string]): number {
  if (retention.ttl === 'Forever' && given === undefined) {
    throw new UsageError(
      'this store keeps payloads for ever and needs no rule; for payloads of an earlier TTL say --longest-ttl',
    );
  }
  const ttls = [retention.ttl, given].filter((ttl) => typeof ttl === 'string' && ttl !== 'Forever');
  return usage(() => Math.max(...ttls.map((ttl) => parseDuration(String(ttl)))), '--longest-ttl');
}
