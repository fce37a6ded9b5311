import { LineCounter, parseAllDocuments } from 'yaml';
import { API_VERSION, KIND } from '../identity.ts';
import { ManifestError } from '../manifest-error.ts';
import { describeValue, excerpt } from '../message-parts.ts';
import { isMap } from '../types.ts';
import { failureOf, MOST_ALIASES, STRICT_YAML, syntaxProblems } from './yaml-syntax.ts';

const LARGEST_FILE = 1024 * 1024;

const MOST_LISTED = 10;

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
