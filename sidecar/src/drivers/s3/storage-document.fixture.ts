import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const text = readFileSync(join(import.meta.dirname, '../../../../docs/s3.md'), 'utf8');

/** The stores of docs/s3.md on a bucket. */
export const [AWS_MANIFEST = '', LOCAL_MANIFEST = ''] = blocks('yaml').filter((block) =>
  block.includes('kind: LargePayloadStore'),
);

/** The policies of docs/s3.md: what puts and gets, and what deletes. */
export const [GATEWAY_POLICY = '', REAPER_POLICY = ''] = blocks('json');

function blocks(language: string): string[] {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\n([^\`]*)\`\`\``, 'g'))].map(
    ([, block]) => block ?? '',
  );
}
