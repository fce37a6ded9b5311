import { failureOf, MOST_ALIASES, STRICT_YAML, syntaxProblems } from '@largepayload/crds/yaml/yaml-syntax';
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type ScalarTag,
  type Tags,
  visit,
} from 'yaml';
import { applyPatch, partsOf } from '../apply-patch.ts';
import type { PatchOperation } from '../raw-pod.ts';

/** The text of one manifest. */
export interface ManifestDocument {
  readonly value: unknown;
  /** The text with a patch applied to the value. Comments stay where they are. */
  patched(patch: readonly PatchOperation[]): string;
}

/** A document cannot be read; the message has its line. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError';
}

/** @param linesBefore of the file, before the text. @throws DocumentError */
export function parseManifest(text: string, linesBefore: number): ManifestDocument {
  return parseJson(text) ?? parseYaml(text, linesBefore);
}

function parseJson(text: string): ManifestDocument | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const indent = /\n( +)"/.exec(text)?.[1]?.length ?? 0;
    return { value, patched: (patch) => `${JSON.stringify(applyPatch(value, patch), null, indent)}\n` };
  } catch {
    // YAML may begin like that too.
    return undefined;
  }
}

const NUMBERS = ['tag:yaml.org,2002:int', 'tag:yaml.org,2002:float'];
const NOT_JSON = ['binary', 'omap', 'pairs', 'set', 'timestamp'].map((name) => `tag:yaml.org,2002:${name}`);

/** Of YAML 1.1, as kubectl reads it: `0644` is octal, `yes` is true. A number that is there stays as it is written. */
function kubectlTags(tags: Tags): Tags {
  return tags
    .filter((tag) => typeof tag === 'string' || !NOT_JSON.includes(tag.tag))
    .map((tag) =>
      isNumber(tag)
        ? { ...tag, stringify: (item, ...rest) => item.source ?? tag.stringify?.(item, ...rest) ?? '' }
        : tag,
    );
}

function isNumber(tag: Tags[number]): tag is ScalarTag {
  return typeof tag === 'object' && NUMBERS.includes(tag.tag);
}

/** UTF-16 units. The parser takes up to 500 bytes of memory for each. */
const LONGEST_YAML = 2 * 2 ** 20;

function parseYaml(text: string, linesBefore: number): ManifestDocument {
  if (text.length > LONGEST_YAML)
    throw new DocumentError('it has pods, and is larger than 2 MiB: split the list, or write it as JSON');
  try {
    const lines = new LineCounter();
    const options = {
      ...STRICT_YAML,
      schema: 'yaml-1.1',
      customTags: kubectlTags,
      lineCounter: lines,
    } as const;
    const document = parseDocument(text, options);
    const [problem] = syntaxProblems(document, lines, linesBefore);
    if (problem !== undefined) throw new DocumentError(problem.message);
    const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES });
    return { value, patched: (patch) => patchedYaml(document, value, patch, text) };
  } catch (error) {
    const message = failureOf(error);
    throw message === undefined ? error : new DocumentError(message, { cause: error });
  }
}

function patchedYaml(
  document: Document.Parsed,
  value: unknown,
  patch: readonly PatchOperation[],
  text: string,
): string {
  // A node that is used in several places cannot be changed in one of them, so they are written out. Comments are lost then.
  if (sharesNodes(document)) {
    const apart: unknown = JSON.parse(JSON.stringify(value));
    document.contents = document.createNode(applyPatch(apart, patch)) as never;
  } else for (const operation of patch) add(document, operation);
  const isIndented = !/^( *)(?:- )?[\w"'./-]+:[^\S\n]*(?:#.*)?\n(?: *(?:#.*)?\n)*\1- /m.test(text);
  return document.toString({ lineWidth: 0, indentSeq: isIndented, flowCollectionPadding: false });
}

/** Whether it has aliases, or maps that are merged by `<<`. */
function sharesNodes(document: Document.Parsed): boolean {
  let found = false;
  const find = () => {
    found = true;
    return visit.BREAK;
  };
  visit(document, {
    Alias: find,
    Pair: (_, { key }) => (isScalar(key) && key.source === '<<' ? find() : undefined),
  });
  return found;
}

function add(document: Document.Parsed, { path, value }: PatchOperation): void {
  const parts = partsOf(path);
  const last = parts.pop() ?? '';
  const parent = document.getIn(parts, true);
  const node = document.createNode(value);
  if (isMap(parent)) parent.set(last, node);
  else if (isSeq(parent)) {
    // `[]` would be filled in one line.
    if (parent.items.length === 0) parent.flow = false;
    parent.items.splice(last === '-' ? parent.items.length : Number(last), 0, node);
  } else throw new Error(`the document has nothing at ${path}`);
}
