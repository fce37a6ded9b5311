import { cpuMsOf } from '@largepayload/testing/processes/process-facts';
import { expect, test } from 'vitest';
import { linesOf, manifest } from '../manifest.fixture.ts';

const STORE = manifest();

test.each([
  ['an empty file', '', /^the file is empty/],
  ['comments only', '# nothing\n---\n---\n', /^the file is empty/],
  ['a text', 'hello', /^document 1 is the string "hello", expected a map/],
  ['a list', `- ${STORE}`, /^document 1 is a list, expected a map/],
  ['a list beside a store', `${STORE}\n---\n- 1\n`, /^document 2 is a list, expected a map/],
  ['no store', 'kind: Secret\n---\nkind: Service\n', /^no LargePayloadStore.* found Secret, Service$/],
  ['many kinds', 'kind: Secret\n---\n'.repeat(12), /found (Secret, ){9}Secret and 2 more$/],
  ['a map without kind', 'spec: {}', /found a document without kind$/],
  ['a hostile kind', 'kind: "a\\u001b[2J\\nb"', /found "a\\u001b\[2J\\nb"$/],
  ['a kind that is no text', 'kind: [1]', /found a document without kind$/],
  ['two stores', `${STORE}\n---\n${STORE}`, /^2 LargePayloadStores .*: "orders", "orders"$/],
])('%s is refused', (_, text, message) => {
  expect(linesOf(text)).toEqual([expect.stringMatching(message)]);
});

test.each([
  ['another version', 'largepayload.dev/v1', 'the string "largepayload.dev/v1"'],
  ['another group', 'example.com/v1alpha1', 'the string "example.com/v1alpha1"'],
  ['a number', 1, 'the number 1'],
  ['nothing', undefined, 'nothing'],
])('%s as apiVersion is refused', (_, apiVersion, shown) => {
  const text = JSON.stringify({ ...JSON.parse(STORE), apiVersion });
  expect(linesOf(text)).toEqual([`apiVersion: expected "largepayload.dev/v1alpha1", got ${shown}`]);
});

test.each([
  ['an open list', 'kind: x\nspec: [1\n', /^line 3, column 1: /],
  ['a tab', 'kind: x\nspec:\n\tstorage: 1\n', /^line 3, column 1: /],
  [
    'a field given twice',
    'kind: x\nspec: 1\nspec: 2\n',
    /^line 3, column 1: the field "spec" is given twice/,
  ],
  ['a field given twice, deep', 'a: [{b: 1, "b": 2}]', /^line 1, column 12: the field "b" is given twice/],
  ['a map as a field name', '? {a: 1}\n: 2\n', /^line 1, column 3: /],
  ['an unknown tag', 'kind: !js/function x', /^line 1, column 7: /],
  ['a date', 'kind: !!timestamp 2026-01-01', /^line 1, column 7: /],
  ['bytes', 'kind: !!binary aGk=', /^line 1, column 7: /],
  ['an alias without anchor', 'kind: *nope', /alias/],
])('%s is a syntax error that names its place', (_, text, message) => {
  expect(linesOf(text)).toEqual([expect.stringMatching(message)]);
});

test('the syntax errors of all documents are listed', () => {
  expect(linesOf('a: [\n---\nb: {\n')).toHaveLength(2);
});

test('an alias bomb is refused', () => {
  const levels = Array.from(
    { length: 20 },
    (_, level) => `l${level + 1}: &l${level + 1} [${'*l0, '.replaceAll('0', String(level)).repeat(9)}]`,
  );
  expect(linesOf(`l0: &l0 [x]\n${levels.join('\n')}\nkind: LargePayloadStore\n`)).toEqual([
    expect.stringMatching(/alias/),
  ]);
});

test('an alias to itself is refused', () => {
  const text =
    'apiVersion: largepayload.dev/v1alpha1\nkind: LargePayloadStore\nmetadata: {name: a}\nspec: &a\n  storage: *a\n';
  expect(linesOf(text)).toContainEqual(expect.stringMatching(/^spec.storage.storage: unknown field/));
});

test('a directive does not change the meaning of a plain word', () => {
  expect(linesOf('%YAML 1.1\n---\nyes')).toEqual(['document 1 is the string "yes", expected a map']);
});

test('a file of more than 1 MiB is refused without being parsed', () => {
  expect(linesOf(`#${'x'.repeat(1_048_576)}`)).toEqual(['the file is larger than 1 MiB']);
  expect(linesOf(`#${'é'.repeat(524_288)}`)).toEqual(['the file is larger than 1 MiB']);
  expect(linesOf(`#${'x'.repeat(1_048_574)}\n`)).toEqual([expect.stringMatching(/^the file is empty/)]);
});

test.each([
  ['lists', '['.repeat(100_000)],
  ['maps', '{a: '.repeat(200_000)],
  ['indents', Array.from({ length: 1_400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  ['closed lists', `kind: ${'['.repeat(20_000)}${']'.repeat(20_000)}`],
  ['closed lists, not too deep for the parser', `kind: ${'['.repeat(600)}${']'.repeat(600)}`],
])('%s nested without end are refused, and cost seconds at most', (_, text) => {
  expect(cpuMsOf(() => expect(linesOf(text)).not.toEqual([]))).toBeLessThan(20_000);
});

test('many fields take no more than a moment', () => {
  const text = Array.from({ length: 60_000 }, (_, index) => `field${index}: 1`).join('\n');
  expect(cpuMsOf(() => expect(linesOf(text)).not.toEqual([]))).toBeLessThan(10_000);
});
