import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const read = (file: string) => readFileSync(join(import.meta.dirname, file), 'utf8');

test('docs/kubernetes.md has every reason that a condition may have, and no other', () => {
  const [union = ''] = /export type Reason =[^;]*;/.exec(read('conditions/finding.ts')) ?? [];
  const reasons = [...union.matchAll(/'(\w+)'/g)].map(([, reason]) => reason);
  const document = read('../../../docs/kubernetes.md');
  const rows = document.slice(document.indexOf('| reason |'), document.indexOf('## The operator'));
  const documented = [...rows.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, names = '']) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  expect(documented.toSorted()).toEqual(reasons.toSorted());
  expect(reasons.length).toBeGreaterThan(30);
});
