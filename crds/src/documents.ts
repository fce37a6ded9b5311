import { type Document, isScalar, LineCounter, parseAllDocuments, visit } from 'yaml';
import { API_VERSION, KIND } from './identity.ts';
import { ManifestError, type Problem } from './manifest-error.ts';
import { describeValue, excerpt } from './message-parts.ts';
import { isMap } from './types.ts';

const LARGEST_FILE = 1024 * 1024;

const MOST_LISTED = 10;

/** How the parser reads files of others. A resource is JSON, so a tag or a %YAML directive makes no dates, sets or bytes. */
export const STRICT_YAML = {
  // The parser's messages would quote the file.
  prettyErrors: false,
  // The parser's search for repeated fields takes minutes for a file of the largest size.
  uniqueKeys: false,
  stringKeys: true,
  // kubectl reads `<<` too.
  merge: true,
  resolveKnownTags: false,
} as const;

/** A file with more aliases within aliases than that is made to exhaust memory. */
export const MOST_ALIASES = 100;

type Fields = Record<string, unknown>;

/**
 * Finds the one LargePayloadStore in a YAML file of any number of documents, without validating it.
 * @throws ManifestError for no or several stores, for syntax errors, and for files made to exhaust memory
 */
export function findStore(text: string, source: string): Fields {
  if (Buffer.byteLength(text) > LARGEST_FILE) throw whole(source, 'the file is larger than 1 MiB');
  const documents = readDocuments(text, source);
  if (documents.length === 0) throw whole(source, 'the file is empty');

  const maps = documents.map(({ content, position }) => {
    if (isMap(content)) return content;
    throw whole(source, `document ${position} is ${describeValue(content)}, expected a map`);
  });
  const stores = maps.filter(({ kind }) => kind === KIND);
  const [store] = stores;
  if (!store) throw whole(source, `no ${KIND} in the file: found ${listed(maps.map(describeKind))}`);
  if (stores.length > 1) {
    throw whole(source, `${stores.length} ${KIND}s in the file, expected one: ${listed(stores.map(nameOf))}`);
  }
  if (store.apiVersion !== API_VERSION) {
    const message = `expected "${API_VERSION}", got ${describeValue(store.apiVersion)}`;
    throw new ManifestError(source, [{ path: 'apiVersion', message }]);
  }
  return store;
}

/** The contents of the documents that are not empty, by the number of the document in the file, from 1. */
function readDocuments(text: string, source: string): { content: unknown; position: number }[] {
  try {
    const lines = new LineCounter();
    const documents = parseAllDocuments(text, { ...STRICT_YAML, schema: 'core', lineCounter: lines });
    const problems = documents.flatMap((document) => syntaxProblems(document, lines));
    if (problems.length > 0) throw new ManifestError(source, problems);
    return documents
      .map((document, index) => ({
        content: document.toJS({ maxAliasCount: MOST_ALIASES }) as unknown,
        position: index + 1,
      }))
      .filter(({ content }) => content !== null);
  } catch (error) {
    if (error instanceof ManifestError) throw error;
    const message = failureOf(error);
    throw message === undefined ? error : whole(source, message, error);
  }
}

/** @param linesBefore of the file, before the text that was parsed */
export function syntaxProblems(document: Document.Parsed, lines: LineCounter, linesBefore = 0): Problem[] {
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `line ${linesBefore + line}, column ${col}`;
  };
  // A warning is about a tag or directive that this parser ignores and the cluster's parser refuses.
  const problems = [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    path: '',
    message: `${place(pos[0])}: ${code === 'RESOURCE_EXHAUSTION' ? 'nested too deeply' : message}`,
  }));
  if (problems.length > 0) return problems;

  visit(document, {
    Map: (_, map) => {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          const message = `the field ${excerpt(String(key.value))} is given twice`;
          problems.push({ path: '', message: `${place(key.range?.[0] ?? 0)}: ${message}` });
        }
        seen.add(key.value);
      }
    },
  });
  return problems;
}

/** The message of an error that the parser throws in place of reporting it; `undefined`: it is not one of those. */
export function failureOf(error: unknown): string | undefined {
  if (error instanceof RangeError) return 'nested too deeply';
  // Thrown for an alias without an anchor, and for aliases that multiply.
  return error instanceof ReferenceError ? `alias: ${error.message}` : undefined;
}

/** A file may have thousands of documents, and a person reads the first few. */
function listed(words: readonly string[]): string {
  const shown = words.slice(0, MOST_LISTED).join(', ');
  return words.length > MOST_LISTED ? `${shown} and ${words.length - MOST_LISTED} more` : shown;
}

function describeKind({ kind }: Fields): string {
  if (typeof kind !== 'string') return 'a document without kind';
  return /^\w{1,60}$/.test(kind) ? kind : excerpt(kind);
}

function nameOf({ metadata }: Fields): string {
  const name = isMap(metadata) ? metadata.name : undefined;
  return typeof name === 'string' ? excerpt(name) : 'one without name';
}

function whole(source: string, message: string, cause?: unknown): ManifestError {
  return new ManifestError(source, [{ path: '', message }], { cause });
}
